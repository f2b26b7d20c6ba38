#pragma once
// Which layers of a model attend within a window.

#include "config/keys.hpp"

#include "pillar/model/hyperparameters.hpp"

namespace pillar::model {

/// Positions that a row of a window layer sees, from the key attention.sliding_window. Throws
/// FormatError where the key asks for no position, or is missing and there is no `fallback` (0).
std::size_t read_window(const Keys& keys, std::size_t fallback);

/// Of every `period` layers the last one sees all positions, the others those of a window.
constexpr bool has_window(std::size_t layer, std::size_t period) noexcept {
    return layer % period + 1 < period;
}

} // namespace pillar::model
