// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// libFuzzer's target for all that believes nothing of a file: the safetensors reader, what makes a model of one, and
// what the model then does. A finding is a crash, a leak, a hang, an error that is not an elegans::Error, a value that
// a round trip changes.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include <elegans/io/model_file.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace elegans;
  try {
    const SafeTensors file({reinterpret_cast<const char*>(data), size}, "fuzzed");
    for (const Tensor& tensor : file.tensors()) {
      if (file.find(tensor.name) != &tensor) std::abort();
    }
    auto any_model = load_model<double>(file);
    std::visit(
        [&](auto& model) {
          // A few neurons show what many would.
          if (model.units() > 64 || model.input_dim() > 64) return;
          const Sequence<double> x(2, 1, model.input_dim());
          static_cast<void>(model(x));
        },
        any_model);
  } catch (const Error&) {
  }
  return 0;
}
