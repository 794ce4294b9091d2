// error: elegans::loss: the loss must be callable as loss(prediction, target, weight, d_prediction)
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data) {
  elegans::fit(model, data, elegans::Adam<float>(), {.epochs = 1},
               elegans::loss([](float prediction, float target) { return prediction - target; }));
}
