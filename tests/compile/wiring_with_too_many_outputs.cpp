// error: elegans::Wiring: there cannot be more motor neurons (Outputs) than neurons (Units)
#include <elegans/wiring/wiring.hpp>

elegans::Wiring<2, 3> wiring;
