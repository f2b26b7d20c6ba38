#include "dimmed_thinking.hpp"

#include "pillar/core/text.hpp"

#include <utility>

namespace pillar::dialogue {

namespace {

constexpr std::string_view opening = "<think>", closing = "</think>";
constexpr std::string_view dim = "\x1b[2m", ordinary = "\x1b[22m";

} // namespace

DimmedThinking::DimmedThinking(bool is_on, bool is_inside) noexcept
    : is_on_(is_on), is_inside_(is_inside) {}

std::string DimmedThinking::push(std::string_view piece) {
    if (!is_on_) return std::string(piece);
    waiting_ += piece;
    std::string shown;
    for (;;) {
        if (is_inside_ && !is_dim_ && !waiting_.empty()) {
            shown += dim;
            is_dim_ = true;
        }
        const std::string_view mark = is_inside_ ? closing : opening;
        const std::size_t at = waiting_.find(mark);
        if (at == std::string::npos) {
            const std::size_t n = waiting_.size() - begun_at_end(waiting_, mark);
            shown += waiting_.substr(0, n);
            waiting_.erase(0, n);
            return shown;
        }
        // Both marks are dim.
        shown += waiting_.substr(0, at);
        if (!is_inside_) shown += dim;
        shown += mark;
        if (is_inside_) shown += ordinary;
        is_inside_ = is_dim_ = !is_inside_;
        waiting_.erase(0, at + mark.size());
    }
}

std::string DimmedThinking::finish() {
    std::string shown = std::exchange(waiting_, {});
    if (is_dim_) shown += ordinary;
    is_inside_ = is_dim_ = false;
    return shown;
}

} // namespace pillar::dialogue
