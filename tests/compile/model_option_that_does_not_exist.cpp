// error: LTCOptions
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>

// The compiler shows the line, and says that the options cannot be made from the list.
elegans::LTC<float> make() { return elegans::LTC<float>(elegans::AutoNCP(8, 1), 2, {.unfolds = 12}); }
