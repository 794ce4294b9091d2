// compiles
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

// The overload that refuses a call must not compete with those that take one.
void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data, const Eigen::ArrayXXf& x,
           const elegans::Sequence<float>& y, elegans::Adam<float>& adam) {
  const auto callback = [](const elegans::Epoch<float>&) {};
  elegans::fit(model, data, adam);
  elegans::fit(model, data, std::ref(adam), {});
  elegans::fit(model, {.x = y, .y = y}, adam, {.epochs = 5}, callback);
  elegans::fit(model, data, adam, elegans::FitOptions<float>{.epochs = 5}, callback, elegans::MeanSquaredError{});
  elegans::fit(model, x, x, adam);
  elegans::fit(model, x, y, adam, {.epochs = 5}, callback);
  elegans::fit(model, y, x + x, std::ref(adam), {}, callback);
}
