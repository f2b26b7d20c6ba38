#pragma once
// Half-open ranges of rows, columns, heads and whatever else is divided.

#include <cstddef>

namespace pillar {

/// Empty ranges are [b, b).
struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
    [[nodiscard]] bool empty() const noexcept { return begin == end; }
    friend bool operator==(const Range&, const Range&) = default;
};

} // namespace pillar
