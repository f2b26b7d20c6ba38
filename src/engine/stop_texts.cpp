#include "pillar/engine/stop_texts.hpp"

#include "pillar/core/text.hpp"

#include <algorithm>

namespace pillar::engine {

namespace {

constexpr std::size_t usual_piece = 256; ///< bytes; of longer ones memory is asked for

} // namespace

StopTexts::StopTexts(std::vector<std::string> texts) : texts_(std::move(texts)) {
    std::size_t longest = 0;
    for (const std::string& text : texts_) longest = std::max(longest, text.size());
    held_.reserve(longest + usual_piece);
    shown_.reserve(longest + usual_piece);
}

std::string_view StopTexts::release(std::size_t n_bytes) {
    shown_.assign(held_, 0, n_bytes);
    held_.erase(0, n_bytes);
    return shown_;
}

std::string_view StopTexts::push(std::string_view piece) {
    if (has_stopped_) return {};
    held_ += piece;
    std::size_t first = std::string::npos;
    for (const std::string& text : texts_) first = std::min(first, held_.find(text));
    if (first != std::string::npos) {
        has_stopped_ = true;
        const std::string_view before = release(first);
        held_.clear();
        return before;
    }
    std::size_t n_held = 0;
    for (const std::string& text : texts_) n_held = std::max(n_held, begun_at_end(held_, text));
    return release(held_.size() - n_held);
}

std::string_view StopTexts::rest() {
    return release(held_.size());
}

} // namespace pillar::engine
