// What the flags may say, and what the chain needs to see for them.

#include "pillar/core/errors.hpp"
#include "pillar/sampling/sampling.hpp"

#include <cmath>
#include <fmt/core.h>
#include <string_view>

namespace pillar::sampling {

namespace {

template <class T>
void require(bool holds, std::string_view flag, T value, std::string_view rule) {
    if (!holds) throw UsageError(fmt::format("{} {}: must {}", flag, value, rule));
}

} // namespace

void validate(const Parameters& p) {
    require(std::isfinite(p.temperature), "--temp", p.temperature, "be a finite number");
    require(p.top_p >= 0.0f && p.top_p <= 1.0f, "--top-p", p.top_p, "lie in [0, 1]");
    require(p.min_p >= 0.0f && p.min_p <= 1.0f, "--min-p", p.min_p, "lie in [0, 1]");
    require(p.repeat_last_n >= -1, "--repeat-last-n", p.repeat_last_n,
            "be -1 (whole history), 0 (off) or a number of tokens");
    require(std::isfinite(p.repeat_penalty) && p.repeat_penalty > 0.0f, "--repeat-penalty",
            p.repeat_penalty, "be greater than 0");
    require(std::isfinite(p.frequency_penalty), "--frequency-penalty", p.frequency_penalty,
            "be a finite number");
    require(std::isfinite(p.presence_penalty), "--presence-penalty", p.presence_penalty,
            "be a finite number");
}

std::size_t candidates_needed(const Parameters& parameters) noexcept {
    if (parameters.temperature <= 0.0f) return 1;
    const bool few =
        parameters.top_k >= 1 && static_cast<std::size_t>(parameters.top_k) <= max_candidates;
    return few ? static_cast<std::size_t>(parameters.top_k) : 0;
}

} // namespace pillar::sampling
