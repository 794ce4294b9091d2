// error: AdamOptions
#include <elegans/train/adam.hpp>

elegans::Adam<float> make() { return elegans::Adam<float>({.lr = 0.01f}); }
