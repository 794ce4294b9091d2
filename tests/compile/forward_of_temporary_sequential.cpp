// error: the model is const or temporary
#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>

elegans::Sequential<elegans::Dense<float>> make();
const auto& run(const elegans::Sequence<float>& x) { return make().forward(x); }
