// error: elegans::fit: the argument before the options must be an Optimizer of the model's Scalar
#include <elegans/model/ltc.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/wiring/auto_ncp.hpp>

struct NoOptimizer {};

void train(elegans::LTC<float>& model, const Eigen::ArrayXXf& x, const Eigen::ArrayXXf& y) {
  elegans::fit(model, x, y, NoOptimizer(), {.epochs = 1});
}
