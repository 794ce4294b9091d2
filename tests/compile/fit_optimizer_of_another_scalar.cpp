// error: elegans::fit: the argument before the options must be an Optimizer of the model's Scalar
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data) {
  elegans::fit(model, data, elegans::Adam<double>(), {.epochs = 1});
}
