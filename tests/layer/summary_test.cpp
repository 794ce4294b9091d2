// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <string>

#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>

#include "support/catch.hpp"

TEST_CASE("The summary is Keras' table, and below it the synapses that exist", "[layer][summary]") {
  const elegans::LTC<float> model(elegans::AutoNCP(8, 1), 2);
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

TEST_CASE("A table adds its rows up", "[layer][summary]") {
  const std::string table = elegans::summary_table({{"a (A)", "(None, 3)", 12}, {"b (B)", "(None, 1)", 4}}, 8);
  CHECK(table.find(" a (A)                       (None, 3)                 12\n") != std::string::npos);
  CHECK(table.find("Total params: 16 (128 bytes)\n") != std::string::npos);
}
