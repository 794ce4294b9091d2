// error: deleted
#include <elegans/train/step_weights.hpp>

auto read(const elegans::StepWeights<float>& weights) { return elegans::StepWeights<float>(weights).values(); }
