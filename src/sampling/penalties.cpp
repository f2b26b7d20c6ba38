// A token that stands in the last n of the history: its logit is moved towards the unlikely by the
// repeat penalty (divided when positive, multiplied otherwise), then lowered by count · frequency +
// presence.

#include "pillar/core/errors.hpp"
#include "pillar/sampling/sampling.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pillar::sampling {

namespace {

std::span<const TokenId> last_n(std::span<const TokenId> history, std::int32_t n) noexcept {
    if (n < 0) return history;
    return history.last(std::min(history.size(), static_cast<std::size_t>(n)));
}

} // namespace

void apply_penalties(const Parameters& p, std::span<const TokenId> history, TokenId first_id,
                     std::span<float> logits, std::span<std::uint32_t> counts) noexcept {
    const bool is_off =
        p.repeat_penalty == 1.0f && p.frequency_penalty == 0.0f && p.presence_penalty == 0.0f;
    if (is_off) return;
    expects(counts.size() >= logits.size(), "a count for every logit");
    const std::span<const TokenId> window = last_n(history, p.repeat_last_n);
    const auto is_own = [&](TokenId id) {
        return id >= first_id && std::int64_t{id} - first_id < std::ssize(logits);
    };
    for (const TokenId id : window)
        if (is_own(id)) ++counts[static_cast<std::size_t>(id - first_id)];
    for (const TokenId id : window) {
        if (!is_own(id)) continue;
        const auto own = static_cast<std::size_t>(id - first_id);
        if (counts[own] == 0) continue; // done at its first place
        const auto count = static_cast<float>(std::exchange(counts[own], 0));
        float& logit = logits[own];
        logit = logit > 0.0f ? logit / p.repeat_penalty : logit * p.repeat_penalty;
        logit -= count * p.frequency_penalty + p.presence_penalty;
    }
}

} // namespace pillar::sampling
