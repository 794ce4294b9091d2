// error: elegans::fit: the model and the data must have one scalar, float or double
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<double>& data) {
  elegans::fit(model, data, elegans::Adam<float>(), {.epochs = 1}, [](const elegans::Epoch<float>&) {});
}
