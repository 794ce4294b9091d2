// error: elegans::Rnn: the scalar must be float or double
#include <elegans/model/ltc.hpp>
#include <elegans/wiring/auto_ncp.hpp>

elegans::LTC<int> model(elegans::AutoNCP(8, 1), 2);
