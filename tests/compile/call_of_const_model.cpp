// error: the model is const
#include <elegans/model/ltc.hpp>

auto run(const elegans::LTC<float>& model, const elegans::Sequence<float>& x) { return model(x); }
