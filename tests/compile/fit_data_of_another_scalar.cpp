// error: elegans::fit: the model, x and y must have one scalar, float or double
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Sequence<double>& x, const elegans::Sequence<double>& y) {
  elegans::fit(model, x, y, elegans::Adam<float>(), {.epochs = 1});
}
