// compiles
#include <Eigen/Core>

#include <elegans/wiring/wiring.hpp>

// The smallest wiring: it has the members that wiring/concepts.hpp lists, and no others.
struct Ring {
  int units() const { return 3; }
  int input_dim() const { return 1; }
  int output_dim() const { return 1; }
  bool is_built() const { return true; }
  Eigen::Matrix3i adjacency_matrix() const { return Eigen::Matrix3i::Identity(); }
  Eigen::RowVector3i sensory_adjacency_matrix() const { return Eigen::RowVector3i::Ones(); }
};

static_assert(elegans::AnyWiring<Ring>);
static_assert(elegans::AnyWiring<elegans::Wiring<>>);
static_assert(elegans::AnyWiring<elegans::Wiring<4, 1, 2>>);
static_assert(!elegans::AnyWiring<int>);

int main() { return elegans::Wiring<>(Ring{}).units() == 3 ? 0 : 1; }
