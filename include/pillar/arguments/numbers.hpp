#pragma once
// Numbers as users type them: decimal, all of the text, in range. What is anything else (nothing at
// all as from an unset shell variable, 0x10, 12k, nan, one too large) is refused by name.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::arguments {

/// Throws UsageError: "-n 12k: give a whole number from -1 to 2147483647". Leading zeros mean
/// nothing (010 is ten).
std::int64_t whole_number(std::string_view text, std::string_view flag, std::int64_t lowest,
                          std::int64_t highest);

/// A finite number. Throws UsageError.
double real_number(std::string_view text, std::string_view flag, double lowest, double highest);
float real_number(std::string_view text, std::string_view flag, float lowest, float highest);

/// Numbers of "1,2,8", "128-512+128" (a step of 1 when none is given) and "1-64*2"; several lists
/// are joined. Throws UsageError naming `flag`.
std::vector<std::size_t> parse_numbers(const std::vector<std::string>& lists, std::string_view flag,
                                       std::size_t lowest, std::size_t highest);

} // namespace pillar::arguments
