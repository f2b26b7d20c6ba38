#pragma once
// Names in the score file, for who writes and who reads it.

#include <cstdint>

namespace pillar::evaluate::layout {

inline constexpr std::int64_t version = 1;
inline constexpr const char* kind = "pillar scores";

// Attributes of the file.
inline constexpr const char* kind_key = "kind";
inline constexpr const char* version_key = "format_version";
inline constexpr const char* length_key = "window_length";
inline constexpr const char* step_key = "window_step";
inline constexpr const char* first_key = "first_scored";
inline constexpr const char* n_windows_key = "n_windows";
inline constexpr const char* vocab_size_key = "vocab_size";

// Datasets.
inline constexpr const char* n_done = "n_done";
inline constexpr const char* tokens = "tokens";
inline constexpr const char* nll = "nll";
inline constexpr const char* log_sum_exp = "log_sum_exp";
inline constexpr const char* logits = "logits";
inline constexpr const char* nll_base = "nll_base";
inline constexpr const char* kl_divergence = "kl_divergence";
inline constexpr const char* p_difference = "p_difference";
inline constexpr const char* same_best = "same_best";

} // namespace pillar::evaluate::layout
