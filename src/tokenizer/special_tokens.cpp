// Every place where a token begins offers its longest one to a queue ordered by length, then place.
// What is taken marks its bytes; a place whose offer no longer fits offers its next shorter token.

#include "pillar/tokenizer/special_tokens.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

namespace pillar::tokenizer {

namespace {

std::uint8_t byte_at(std::string_view text, std::size_t place) noexcept {
    return static_cast<std::uint8_t>(text[place]);
}

constexpr bool is_space(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

} // namespace

SpecialTokens::SpecialTokens(std::vector<SpecialToken> tokens) : tokens_(std::move(tokens)) {
    std::ranges::sort(tokens_, {}, &SpecialToken::text); // compares as unsigned bytes
    for (const SpecialToken& token : tokens_) ++first_with_[byte_at(token.text, 0) + 1u];
    for (std::size_t byte = 0; byte < 256; ++byte) first_with_[byte + 1] += first_with_[byte];
}

const SpecialToken* SpecialTokens::longest_match_at(std::string_view text, std::size_t begin,
                                                    std::size_t shorter_than, Counts counts) const {
    const SpecialToken* longest = nullptr;
    const std::uint8_t first = byte_at(text, begin);
    auto low = tokens_.begin() + static_cast<std::ptrdiff_t>(first_with_[first]);
    auto high = tokens_.begin() + static_cast<std::ptrdiff_t>(first_with_[first + 1u]);
    // [low, high): the tokens that begin with the first `size` bytes of the text from `begin` on.
    for (std::size_t size = 1; low != high && size < shorter_than; ++size) {
        if (low->text.size() == size) {
            if (counts(*low, begin)) longest = &*low;
            ++low;
        }
        if (begin + size == text.size()) break;
        const std::uint8_t byte = byte_at(text, begin + size);
        const auto at_size = [size](const SpecialToken& token) {
            return byte_at(token.text, size);
        };
        low = std::ranges::lower_bound(low, high, byte, {}, at_size);
        high = std::ranges::upper_bound(low, high, byte, {}, at_size);
    }
    return longest;
}

std::vector<SpecialTokens::Found> SpecialTokens::choose(std::string_view text,
                                                        Counts counts) const {
    struct Offer {
        const SpecialToken* token;
        std::size_t begin;
        bool operator<(const Offer& other) const noexcept { // what comes later
            const std::size_t size = token->text.size();
            const std::size_t other_size = other.token->text.size();
            return size != other_size ? size < other_size : begin > other.begin;
        }
    };
    std::vector<Offer> offers;
    for (std::size_t begin = 0; begin < text.size(); ++begin) {
        const std::uint8_t first = byte_at(text, begin);
        if (first_with_[first] == first_with_[first + 1u]) continue;
        if (const auto* token = longest_match_at(text, begin, SIZE_MAX, counts))
            offers.push_back({token, begin});
    }
    if (offers.empty()) return {};

    std::vector<Found> found;
    std::vector<bool> taken(text.size());
    std::priority_queue<Offer> queue(std::less<Offer>(), std::move(offers));
    while (!queue.empty()) {
        const auto [token, begin] = queue.top();
        queue.pop();
        std::size_t end = begin;
        while (end < begin + token->text.size() && !taken[end]) ++end;
        if (end < begin + token->text.size()) { // no longer free; a shorter one may fit
            if (end == begin) continue;
            if (const auto* shorter = longest_match_at(text, begin, end - begin + 1, counts))
                queue.push({shorter, begin});
            continue;
        }
        found.push_back({begin, static_cast<std::size_t>(token - tokens_.data())});
        std::fill(taken.begin() + static_cast<std::ptrdiff_t>(begin),
                  taken.begin() + static_cast<std::ptrdiff_t>(end), true);
        for (; token->strip_right && end < text.size() && !taken[end] && is_space(text[end]); ++end)
            taken[end] = true;
        for (std::size_t left = begin;
             token->strip_left && left > 0 && !taken[left - 1] && is_space(text[left - 1]); --left)
            taken[left - 1] = true;
    }
    std::ranges::sort(found, {}, &Found::begin);
    return found;
}

std::vector<Fragment> SpecialTokens::split(std::string_view text) const {
    return split(text, [](const SpecialToken&, std::size_t) { return true; });
}

std::vector<Fragment> SpecialTokens::split(std::string_view text, Counts counts) const {
    std::vector<Fragment> fragments;
    std::size_t done = 0;
    bool stripped_right = false;
    const auto add_raw = [&](std::size_t end, bool strip_right) {
        std::size_t begin = done;
        while (stripped_right && begin < end && is_space(text[begin])) ++begin;
        while (strip_right && begin < end && is_space(text[end - 1])) --end;
        if (begin < end) fragments.push_back({begin, end - begin, -1});
    };
    for (const Found& found : choose(text, counts)) {
        const SpecialToken& token = tokens_[found.token];
        add_raw(found.begin, token.strip_left);
        fragments.push_back({found.begin, token.text.size(), token.id});
        done = found.begin + token.text.size();
        stripped_right = token.strip_right;
    }
    add_raw(text.size(), false);
    return fragments;
}

} // namespace pillar::tokenizer
