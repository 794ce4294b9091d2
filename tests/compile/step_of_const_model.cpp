// error: wrong state, or a const or temporary model
#include <elegans/model/ltc.hpp>

void run(const elegans::LTC<float>& model, const Eigen::ArrayXf& x, elegans::State<float>& state) {
  (void)model.step(x, state);
}
