// error: ArrayDynamics
#include <elegans/cell/array_cell.hpp>

struct NoAdjoint {
  using Scalar = float;
  elegans::Index units() const { return 1; }
  elegans::Index input_dim() const { return 1; }
  elegans::ParameterList<> parameters() const { return {}; }
  void initialize(elegans::Tensors<float>) const {}
  void step(elegans::Tensors<const float>, const elegans::ArrayStep<float>& now, elegans::ArrayView<float> next) const {
    next = now.state + now.x;
  }
};

using Cell = elegans::ArrayCell<NoAdjoint>;
