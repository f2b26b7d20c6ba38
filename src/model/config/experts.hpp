#pragma once
// The numbers of a mixture of experts, for architectures that have one.

#include "pillar/model/hyperparameters.hpp"

#include <array>
#include <string_view>

namespace pillar::model {

/// The keys that read_experts() takes, for Architecture::keys.
inline constexpr std::array<std::string_view, 2> expert_keys{"expert_count", "expert_used_count"};

/// Reads how many experts there are (at least `min_experts`), how many a row goes through, and how
/// wide they are: expert_feed_forward_length, or what feed_forward_length has said. Without
/// experts, `h` stays as it is. Throws FormatError.
void read_experts(const gguf::File& file, Hyperparameters& h, std::size_t min_experts);

} // namespace pillar::model
