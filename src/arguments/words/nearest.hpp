#pragma once
// "Is --temp meant?": the known word that a mistyped one comes nearest to.

#include <span>
#include <string>
#include <string_view>

namespace pillar::arguments {

/// Characters to insert, drop, change or swap with their neighbour to get from one to the other.
std::size_t typing_errors(std::string_view a, std::string_view b);

/// The word with the fewest errors, if a third of its letters at most are wrong; else "". Dashes at
/// the beginning do not count.
std::string nearest(std::string_view typed, std::span<const std::string> known);

} // namespace pillar::arguments
