// compiles
#include <type_traits>

#include <elegans/elegans.hpp>

using namespace Eigen;
using namespace elegans;

// Names that Eigen has, too, are the same there (Index, Dynamic). Dense alone is another thing in Eigen.
void train(const Sequence<float>& x, const Sequence<float>& y) {
  elegans::Sequential stack(LTC<float>(AutoNCP(8, 2), 2), elegans::Dense<float>(1, 2));
  const Dataset<float> data{.x = x, .y = y, .timespans = Timespans<float>(0.5f), .mask = Mask()};
  History<float> history = fit(stack, data, Adam<float>(), {.epochs = 2}, loss(MeanSquaredError{}), MeanAbsoluteError{},
                               [](const Epoch<float>& epoch) { return epoch.loss > 0; });
  CfC<float> model(FullyConnected(4, 1), 2);
  State<float> state = model.initial_state(Index{3});
  model.step(ArrayXXf::Zero(3, 2), state);
  Wiring<> wiring(Random(8, 1, {.sparsity = 0.5}));
  Context<float> context;
  static_assert(std::is_base_of_v<Error, InvalidArgument>);
  static_assert(Dynamic == -1 && Activation::tanh != Activation::relu && Mapping::none != Mapping::linear);
}
