// error: elegans::Sequential: all layers must be of one scalar, float or double
#include <elegans/layer/dense.hpp>
#include <elegans/layer/sequential.hpp>

static_assert(sizeof(elegans::Sequential<elegans::Dense<float>, elegans::Dense<double>>) > 0);
