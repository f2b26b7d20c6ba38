// A token that stands in the last n of the history: its logit is moved towards the unlikely by the
// repeat penalty (divided when positive, multiplied otherwise), then lowered by count · frequency +
// presence.

#include "pillar/sampling/sampling.hpp"

#include <algorithm>

namespace pillar::sampling {

namespace {

std::span<const TokenId> last_n(std::span<const TokenId> history, std::int32_t n) noexcept {
    if (n < 0) return history;
    return history.last(std::min(history.size(), static_cast<std::size_t>(n)));
}

} // namespace

void apply_penalties(const Parameters& p, std::span<const TokenId> history, TokenId first_id,
                     std::span<float> logits) noexcept {
    const bool is_off =
        p.repeat_penalty == 1.0f && p.frequency_penalty == 0.0f && p.presence_penalty == 0.0f;
    if (is_off) return;
    const std::span<const TokenId> window = last_n(history, p.repeat_last_n);
    for (auto here = window.begin(); here != window.end(); ++here) {
        const std::int64_t own = std::int64_t{*here} - first_id;
        if (own < 0 || own >= static_cast<std::int64_t>(logits.size())) continue;
        if (std::count(window.begin(), here, *here) != 0) continue; // done at its first place
        const auto count = static_cast<float>(std::count(here, window.end(), *here));
        float& logit = logits[static_cast<std::size_t>(own)];
        logit = logit > 0.0f ? logit / p.repeat_penalty : logit * p.repeat_penalty;
        logit -= count * p.frequency_penalty + p.presence_penalty;
    }
}

} // namespace pillar::sampling
