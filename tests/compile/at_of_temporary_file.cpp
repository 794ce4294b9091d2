// error: deleted
#include <elegans/io/safetensors.hpp>

const auto& read() { return elegans::SafeTensors("model.safetensors").at("w"); }
