// error: elegans::fit: name the loss to train on
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/train/loss.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data) {
  elegans::fit(model, data, elegans::Adam<float>(), {.epochs = 1}, elegans::MeanSquaredError{}, elegans::Huber());
}
