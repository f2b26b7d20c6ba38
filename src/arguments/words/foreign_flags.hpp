#pragma once
// Flags of llama.cpp's programs that pillar does not have: what they do there, what to do here.

#include <string>
#include <string_view>

namespace pillar::arguments {

/// "sets how many layers a GPU computes in llama.cpp; there is no GPU here: leave it out"; "" for
/// what is not known.
std::string about_foreign_flag(std::string_view name);

} // namespace pillar::arguments
