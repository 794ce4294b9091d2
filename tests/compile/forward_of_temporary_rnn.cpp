// error: the model is const or temporary
#include <elegans/model/ltc.hpp>

elegans::LTC<float> make();
const auto& run(const elegans::Sequence<float>& x) { return make().forward(x); }
