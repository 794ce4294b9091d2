// error: callback, callable as callback(const Epoch<Scalar>&) and returning void or bool
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data) {
  elegans::fit(model, data, elegans::Adam<float>(), {.epochs = 1}, [](int) {});
}
