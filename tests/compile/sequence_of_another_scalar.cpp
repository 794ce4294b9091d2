// error: no known conversion
#include <elegans/model/ltc.hpp>

// The message goes on with both types, Sequence<double> and Sequence<float>.
auto run(elegans::LTC<float>& model, const elegans::Sequence<double>& x) { return model(x); }
