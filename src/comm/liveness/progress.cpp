#include "progress.hpp"

#include <fmt/core.h>

namespace pillar::comm {

std::string describe(const Progress& progress) {
    if (progress.is_busy) return "busy";
    if (progress.stage == Stage::start) return "while the ranks meet";
    if (progress.stage == Stage::end) return "at the end";
    if (!progress.is_step || progress.step == 0)
        return progress.step == 0 ? "before the first step" : "between two steps";
    switch (progress.kind) {
    case CollectiveKind::broadcast:
        return fmt::format("before step {}", progress.step);
    case CollectiveKind::gather:
        return fmt::format("at the end of step {}", progress.step - 1);
    case CollectiveKind::allreduce:
        break;
    }
    return fmt::format("in layer {} of step {}",
                       (progress.n_allreduces - 1) / progress.allreduces_a_layer,
                       progress.step - 1);
}

} // namespace pillar::comm
