// error: wrong state, or a const or temporary model
#include <elegans/model/ltc.hpp>

elegans::LTC<float> make();
auto run(const Eigen::ArrayXf& x, elegans::State<float>& state) { return make().step(x, state); }
