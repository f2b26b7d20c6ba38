#include "place.hpp"

#include <fmt/core.h>

namespace pillar::comm {

std::string describe(const Place& place) {
    if (place.is_busy) return "busy";
    if (place.stage == Stage::start) return "while the ranks meet";
    if (place.stage == Stage::end) return "at the end";
    if (!place.is_step || place.step == 0)
        return place.step == 0 ? "before the first step" : "between two steps";
    switch (place.kind) {
    case CollectiveKind::broadcast:
        return fmt::format("before step {}", place.step);
    case CollectiveKind::gather:
        return fmt::format("at the end of step {}", place.step - 1);
    case CollectiveKind::allreduce:
        break;
    }
    return fmt::format("in layer {} of step {}",
                       (place.n_allreduces - 1) / place.allreduces_a_layer, place.step - 1);
}

} // namespace pillar::comm
