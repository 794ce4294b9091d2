// error: wrong state, const or temporary model
#include <elegans/model/ltc.hpp>

elegans::LTC<float> make();
auto run(const Eigen::ArrayXf& x, elegans::State<float>& state) { return make().step(x, state); }
