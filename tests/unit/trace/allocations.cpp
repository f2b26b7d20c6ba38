// The counter itself.

#include "allocations.hpp"

#include "support/allocation_counter.hpp"

namespace pillar::trace {

std::size_t n_allocations() noexcept {
    return support::n_allocations;
}

} // namespace pillar::trace
