// compiles
#include <elegans/cell/array_cell.hpp>
#include <elegans/cell/cfc/cell.hpp>
#include <elegans/cell/concepts.hpp>
#include <elegans/cell/ltc/cell.hpp>
#include <elegans/cell/memory/cell.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/rnn.hpp>

// The smallest cell: it adds up its input. It has the members that cell/array_cell.hpp lists, and no others.
struct Sum {
  using Scalar = float;
  elegans::Index units() const { return 1; }
  elegans::Index input_dim() const { return 1; }
  elegans::ParameterList<> parameters() const { return {}; }
  void initialize(elegans::Tensors<float>) const {}
  void step(elegans::Tensors<const float>, const elegans::ArrayStep<float>& now, elegans::ArrayView<float> next) const {
    next = now.state + now.x;
  }
  void step_backward(elegans::Tensors<const float>, const elegans::ArrayStep<float>&,
                     elegans::ConstArrayView<float> d_next, elegans::ArrayStepAdjoint<float>& d_now,
                     elegans::Tensors<float>) const {
    d_now.state += d_next;
    d_now.x += d_next;
  }
};

static_assert(elegans::ArrayDynamics<Sum>);
static_assert(elegans::RecurrentCell<elegans::ArrayCell<Sum>>);
static_assert(elegans::RecurrentCell<elegans::LTCCell<float>>);
static_assert(elegans::RecurrentCell<elegans::LTCCell<double, 4, 1, 2>>);
static_assert(elegans::RecurrentCell<elegans::CfCCell<double>>);
static_assert(elegans::RecurrentCell<elegans::MemoryCell<elegans::LTCCell<float>>>);
static_assert(!elegans::RecurrentCell<Sum>);
static_assert(!elegans::RecurrentCell<int>);
static_assert(elegans::AnyLayer<elegans::Rnn<elegans::ArrayCell<Sum>>>);

int main() {
  elegans::Rnn<elegans::ArrayCell<Sum>> model{elegans::ArrayCell(Sum{})};
  return model(elegans::Sequence<float>(3, 1, 1)).time() == 3 ? 0 : 1;
}
