// error: elegans::Rnn: the cell lacks members that a RecurrentCell has: see elegans/cell/concepts.hpp
#include <elegans/layer/rnn.hpp>

struct NoCell {
  using Scalar = float;
  static constexpr int state_size_at_compile_time = 1;
  static constexpr int inputs_at_compile_time = 1;
  static constexpr int outputs_at_compile_time = 1;
  static constexpr int parameter_capacity = 1;
  template <int = 0, int = 0>
  struct Scratch {};
  using SingleScratch = Scratch<>;
  struct Adjoint {};
};

static_assert(sizeof(elegans::Rnn<NoCell>) > 0);
