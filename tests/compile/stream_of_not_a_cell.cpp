// error: StreamCell
#include <elegans/layer/stream.hpp>

struct Nothing {};

static_assert(sizeof(elegans::Stream<Nothing>) > 0);
