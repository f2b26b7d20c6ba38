#include "text_windows.hpp"

#include <algorithm>

namespace pillar::evaluate {

WindowShape window_shape(std::size_t n_context, std::size_t stride) {
    if (stride == 0) return {.length = n_context, .step = n_context, .first = n_context / 2};
    const std::size_t length = n_context + stride / 2;
    return {.length = length, .step = stride, .first = length - stride - 1};
}

std::size_t windows_in(std::size_t n_tokens, const WindowShape& shape) noexcept {
    if (n_tokens < shape.length) return 0;
    if (shape.step == shape.length) return n_tokens / shape.length;
    // The last one ends before the text does, but a text of one window has one.
    return std::max<std::size_t>(1, (n_tokens - shape.length + shape.step - 1) / shape.step);
}

TokenIds cut_windows(const TokenIds& text, const WindowShape& shape, std::size_t n_windows,
                     const tokenizer::Vocabulary& vocabulary) {
    TokenIds windows;
    windows.reserve(n_windows * shape.length);
    for (std::size_t w = 0; w < n_windows; ++w) {
        const auto begin = text.begin() + static_cast<std::ptrdiff_t>(w * shape.step);
        windows.insert(windows.end(), begin, begin + static_cast<std::ptrdiff_t>(shape.length));
        if (vocabulary.add_bos && vocabulary.bos)
            windows[windows.size() - shape.length] = *vocabulary.bos;
    }
    return windows;
}

} // namespace pillar::evaluate
