#pragma once
// Which layers of a model attend within a window, and with which rotation.

#include "config/keys.hpp"

#include "pillar/model/hyperparameters.hpp"

#include <cstddef>
#include <string_view>

namespace pillar::model {

inline constexpr std::string_view window_key = "attention.sliding_window";
/// True for layers with a window; or a number: the last of so many layers sees all positions.
inline constexpr std::string_view window_pattern_key = "attention.sliding_window_pattern";
/// The base of the rotation in layers with a window.
inline constexpr std::string_view window_base_key = "rope.freq_base_swa";

/// Reads h.has_window, of h.n_layers layers: from the pattern's key, else all but the last of every
/// `period`. Throws FormatError.
void read_windowed_layers(const Keys& keys, std::size_t period, Hyperparameters& h);

/// Adds `rope` as the rotary table of layers with a window, its base from the key where that is
/// there; none where it is the other layers' table. Throws FormatError.
void add_window_rope(const Keys& keys, Rope rope, Hyperparameters& h);

/// Gives the layer its window and its rotary table, where h.has_window says so.
void set_window(const Hyperparameters& h, std::size_t layer, LayerSpec& spec);

} // namespace pillar::model
