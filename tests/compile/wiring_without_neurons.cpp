// error: elegans::Wiring: Units must be at least 1
#include <elegans/wiring/wiring.hpp>

elegans::Wiring<0, 1> wiring;
