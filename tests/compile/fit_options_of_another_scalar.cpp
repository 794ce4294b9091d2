// error: options, spelled as in FitOptions and of the model's Scalar
#include <elegans/model/ltc.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

void train(elegans::LTC<float>& model, const elegans::Dataset<float>& data,
           const elegans::FitOptions<double>& options) {
  elegans::fit(model, data, elegans::Adam<float>(), options);
}
