#pragma once
// A text cut into windows, each of which is read from an empty cache, and the rows of a window
// whose next tokens are scored: as llama-perplexity cuts and counts.

#include "pillar/tokenizer/tokenizer.hpp"

#include <cstddef>
#include <vector>

namespace pillar::evaluate {

struct WindowShape {
    std::size_t length = 0; ///< tokens of a window
    std::size_t step = 0;   ///< from a window's first token to that of the next
    std::size_t first = 0;  ///< rows first … length − 2 are scored: what comes after each

    [[nodiscard]] std::size_t n_scored() const noexcept { return length - 1 - first; }
    friend bool operator==(const WindowShape&, const WindowShape&) = default;
};

/// Windows side by side, of which the second half is scored; with a stride, windows that begin so
/// far from each other, are longer by half of it, and of which as many of the last rows are scored.
WindowShape window_shape(std::size_t n_context, std::size_t stride);

/// How many a text has room for; 0: it is shorter than one.
std::size_t windows_in(std::size_t n_tokens, const WindowShape& shape) noexcept;

using TokenIds = std::vector<tokenizer::TokenId>;

/// (n_windows, length): the tokens as they are fed. Where the model's texts begin with BOS, so does
/// every window: it takes the place of its first token.
TokenIds cut_windows(const TokenIds& text, const WindowShape& shape, std::size_t n_windows,
                     const tokenizer::Vocabulary& vocabulary);

} // namespace pillar::evaluate
