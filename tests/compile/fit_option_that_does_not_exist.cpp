// error: elegans::fit: the arguments must be the model; a Dataset, or the sequences x and y; an optimizer; options
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data) {
  elegans::fit(model, data, elegans::Adam<float>(), {.epoch = 5});
}
