// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <sstream>
#include <string>
#include <vector>

#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// The lines between the two rules, and the total below them.
std::vector<std::string> table_of(const std::string& summary) {
  std::vector<std::string> lines;
  std::istringstream text(summary);
  for (std::string line; std::getline(text, line);) {
    if (line.find_first_not_of("_=") != std::string::npos) lines.push_back(line);
  }
  lines.erase(lines.begin());  // the names of the columns
  lines.pop_back();            // trainable parameters
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("The summary is Keras' table, and below it the synapses that exist", "[layer][summary]") {
  const LTC<float> model(AutoNCP(8, 1), 2);
  const auto wiring = model.wiring();
  const std::string expected =
      "_________________________________________________________________\n"
      " Layer (type)                Output Shape              Param #\n"
      "=================================================================\n"
      " ltc (LTC)                   (None, None, 1)           350\n"
      "=================================================================\n"
      "Total params: 350 (1400 bytes)\n"
      "Trainable params: 350\n"
      "_________________________________________________________________\n"
      "Neurons: 8, of which 1 motor\n"
      "Synapses: " +
      std::to_string(wiring.synapse_count()) + " of 64 (";
  CHECK(model.summary().substr(0, expected.size()) == expected);
  CHECK(wiring.synapse_count() < 64);
}

TEST_CASE("The summary of a stack has one line per layer", "[layer][summary]") {
  const Sequential model(Dense<float>(4, 2), LTC<float>(FullyConnected(8, 1), 4), Dense<float>(1, 1));
  CHECK(table_of(model.summary()) == Lines{" dense (Dense)               (None, None, 4)           12",
                                           " ltc (LTC)                   (None, None, 1)           418",
                                           " dense (Dense)               (None, None, 1)           2",
                                           "Total params: 432 (1728 bytes)"});
}

TEST_CASE("Behind a layer that returns its last output only, the shapes have no time", "[layer][summary]") {
  const CfC<float> last(3, 2, {.backbone_layers = 0, .return_sequences = false});  // 4 (3 5 + 3) = 72 parameters
  const Lines expected{" dense (Dense)               (None, None, 2)           6",
                       " cfc (CfC)                   (None, 3)                 72",
                       " dense (Dense)               (None, 4)                 16",
                       " dense (Dense)               (None, 1)                 5", "Total params: 99 (396 bytes)"};
  const Dense<float> a(2, 2), b(4, 3), c(1, 4);
  CHECK(table_of(Sequential(a, last, b, c).summary()) == expected);
  // However the layers are nested, the lines stay the same.
  CHECK(table_of(Sequential(Sequential(a, last), Sequential(b, c)).summary()) == expected);
  CHECK(table_of(Sequential(a, Sequential(last, b), c).summary()) == expected);
  CHECK(table_of(Sequential(Sequential(Sequential(a, last), b), c).summary()) == expected);
}

TEST_CASE("The summary of a Bidirectional has the outputs of both directions, and lists their layers",
          "[layer][summary]") {
  const CfC<float> cfc(3, 2, {.backbone_layers = 0});
  const Lines expected{" bidirectional (Bidirectional)  (None, None, 6)           144",
                       "   cfc (CfC)                    (None, None, 3)           72",
                       "   cfc (CfC)                    (None, None, 3)           72", "Total params: 144 (576 bytes)"};
  CHECK(table_of(Bidirectional(cfc, cfc).summary()) == expected);
  // The outputs of the last step, in a stack of stacks.
  const CfC<float> last(3, 2, {.backbone_layers = 0, .return_sequences = false});
  const Sequential branch(last, Dense<float>(2, 3));
  const Lines nested{" bidirectional (Bidirectional)  (None, 4)                 160",
                     "   cfc (CfC)                    (None, 3)                 72",
                     "   dense (Dense)                (None, 2)                 8",
                     "   cfc (CfC)                    (None, 3)                 72",
                     "   dense (Dense)                (None, 2)                 8",
                     " dense (Dense)                  (None, 1)                 5",
                     "Total params: 165 (660 bytes)"};
  CHECK(table_of(Sequential(Bidirectional(branch, branch), Dense<float>(1, 4)).summary()) == nested);
}
