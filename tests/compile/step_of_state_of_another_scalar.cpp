// error: wrong state, or a const or temporary model
#include <elegans/model/ltc.hpp>

void run(elegans::LTC<float>& model, const Eigen::ArrayXf& x, elegans::State<double>& state) {
  (void)model.step(x, state);
}
