// compiles
#include <elegans/inspect/hidden_states.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/layer/sequential.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/train/concepts.hpp>

// The smallest layer: y = gain x, with one gain for all features. It has the members that layer/concepts.hpp lists, and
// no others.
class Gain : public elegans::Parameterized<Gain, float> {
 public:
  using Scalar = float;
  using Values = elegans::Sequence<float>;
  using Nothing = elegans::State<float, 0>;
  static constexpr int state_size_at_compile_time = 0;

  explicit Gain(elegans::Index features) : features_(features) {
    list_.add("gain", 1, 1);
    parameters_.resize(1);
    gradient_.resize(1);
  }
  elegans::Index input_dim() const { return features_; }
  elegans::Index output_dim() const { return features_; }
  elegans::Index state_size() const { return 0; }
  bool return_sequences() const { return true; }
  const elegans::ParameterList<>& parameter_list() const { return list_; }
  void parameters_changed() {}
  Nothing initial_state(elegans::Index batch) const { return {batch, 0}; }
  const Nothing& final_state() const { return state_; }

  Values operator()(const Values& x, const elegans::Context<float, 0>& context = {}) { return forward(x, context); }
  const Values& forward(const Values& x, const elegans::Context<float, 0>& = {}) {
    input_ = y_ = x;
    y_.values() *= parameters_[0];
    state_ = initial_state(x.batch());
    return y_;
  }
  void backward(const Values& d_y, const Nothing* = nullptr) {
    gradient_[0] = (d_y.values() * input_.values()).sum();
    d_x_ = d_y;
    d_x_.values() *= parameters_[0];
  }
  const Values& input_gradient() const { return d_x_; }
  const Nothing& initial_state_gradient() const { return state_; }

 private:
  elegans::Index features_;
  elegans::ParameterList<> list_;
  Values input_, y_, d_x_;
  Nothing state_{0, 0};
};

static_assert(elegans::AnyLayer<Gain>);
static_assert(elegans::TrainableModel<Gain>);
static_assert(elegans::AnyLayer<elegans::Sequential<Gain, elegans::LTC<float>, Gain>>);
static_assert(elegans::AnyLayer<elegans::Bidirectional<Gain>>);
static_assert(elegans::AnyLayer<elegans::LTC<float, elegans::Wiring<4, 1, 2>>>);
static_assert(elegans::AnyLayer<elegans::CfC<double>>);
static_assert(elegans::AnyLayer<elegans::MixedLTC<double>>);
static_assert(elegans::AnyLayer<elegans::Dense<double>>);
static_assert(!elegans::AnyLayer<int>);
static_assert(!elegans::AnyLayer<elegans::LTCCell<float>>);

int main() {
  elegans::Sequential model(Gain(2), elegans::Dense<float>(1, 2), elegans::Bidirectional(Gain(1), Gain(1)));
  const elegans::Sequence<float> x(3, 1, 2);
  model.backward(model.forward(x));
  return elegans::hidden_states(model, x).features() == 0 ? 0 : 1;
}
