// error: AnyWiring
#include <elegans/wiring/wiring.hpp>

struct NoWiring {
  int units() const { return 4; }
};

template <elegans::AnyWiring W>
int units_of(const W& wiring) {
  return wiring.units();
}

int units = units_of(NoWiring{});
