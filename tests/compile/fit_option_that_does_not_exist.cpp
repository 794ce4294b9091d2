// error: The options are epochs, batch_size, grain, shuffle, drop_last, seed, validation_split, validation, patience
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data) {
  elegans::fit(model, data, elegans::Adam<float>(), {.epoch = 5});
}
