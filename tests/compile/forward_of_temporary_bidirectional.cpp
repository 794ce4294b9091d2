// error: the model is const or temporary
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/dense.hpp>

elegans::Bidirectional<elegans::Dense<float>> make();
const auto& run(const elegans::Sequence<float>& x) { return make().forward(x); }
