// error: the model must outlive the session
#include <elegans/elegans.hpp>

elegans::Session session(elegans::LTC<float>(elegans::FullyConnected(4, 1), 2));
