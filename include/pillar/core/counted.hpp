#pragma once

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace pillar {

/// "1 rank", "2 ranks".
inline std::string counted(std::size_t n, std::string_view noun) {
    return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

} // namespace pillar
