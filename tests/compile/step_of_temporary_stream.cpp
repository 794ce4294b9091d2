// error: wrong state, or a const or temporary model
#include <elegans/cell/ltc/cell.hpp>
#include <elegans/layer/stream.hpp>

elegans::Stream<elegans::LTCCell<float>> make();
auto run(const Eigen::ArrayXf& x, elegans::State<float, -1, 1>& state) { return make().step(x, state); }
