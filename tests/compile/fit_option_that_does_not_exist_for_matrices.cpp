// error: options, spelled as in FitOptions
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const Eigen::ArrayXXf& x, const Eigen::ArrayXXf& y) {
  elegans::fit(model, x, y, elegans::Adam<float>(), {.epoch = 5}, [](const elegans::Epoch<float>&) {});
}
