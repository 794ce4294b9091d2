// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// libFuzzer's target for model files: reads the bytes as safetensors, makes a model of them, and runs it. A finding is
// a crash, a leak, a hang, or an exception that is not an elegans::Error.

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
          // Large models take long, and find nothing that small ones do not find.
          if (model.parameters().size() > 100000 || model.input_dim() > 1000) return;
          const Sequence<double> x(2, 1, model.input_dim());
          static_cast<void>(model(x));
        },
        any_model);
  } catch (const Error&) {
  }
  return 0;
}
