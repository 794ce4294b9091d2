// error: elegans::fit: the model is const, but training changes it
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(const elegans::LTC<float>& model, const elegans::Sequence<float>& x, const elegans::Sequence<float>& y) {
  elegans::fit(model, x, y, elegans::Adam<float>(), {.epochs = 1});
}
