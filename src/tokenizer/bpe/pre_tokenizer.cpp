// Bytes that are no UTF-8 become U+FFFD for the patterns only: a copy is cut, and the cuts are
// carried back.

#include "pillar/tokenizer/pre_tokenizer.hpp"

#include "pattern.hpp"

#include "pillar/core/utf8.hpp"

#include <algorithm>
#include <utility>

namespace pillar::tokenizer {

struct PreTokenizer::Step {
    explicit Step(const PreTokenizerStep& step) : pattern(step.pattern), digits(step.digits) {}
    Pattern pattern;
    DigitCuts digits;
};

namespace {

constexpr bool begins_character(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

/// Appends the cuts of one match, in ascending order.
void add_cuts(std::string_view word, Pattern::Match match, DigitCuts kind,
              std::vector<std::size_t>& cuts) {
    if (kind == DigitCuts::none) cuts.push_back(match.begin);
    if (kind != DigitCuts::none) {
        const std::string_view run = word.substr(match.begin, match.end - match.begin);
        std::size_t left = static_cast<std::size_t>(std::ranges::count_if(run, begins_character));
        for (std::size_t i = 0; i < run.size(); ++i) { // `left` digits from i to the end
            if (!begins_character(run[i])) continue;
            const bool at_begin = i == 0 && kind != DigitCuts::threes;
            if (left % 3 == 0 && !at_begin) cuts.push_back(match.begin + i);
            --left;
        }
    }
    if (kind != DigitCuts::threes) cuts.push_back(match.end);
}

/// Sizes of the words of `text`, whose broken bytes stand as U+FFFD in the copy that `sizes`
/// belongs to.
std::vector<std::size_t> sizes_before_repair(std::string_view text,
                                             const std::vector<std::size_t>& sizes) {
    std::vector<std::size_t> original;
    original.reserve(sizes.size());
    std::size_t at = 0;
    for (const std::size_t size : sizes) {
        const std::size_t begin = at;
        for (std::size_t seen = 0; seen < size;) {
            const Utf8Unit unit = next_unit(text, at);
            const bool whole = unit.kind == Utf8Unit::Kind::character;
            at += whole ? unit.size : 1;
            seen += whole ? unit.size : replacement_character.size();
        }
        original.push_back(at - begin);
    }
    return original;
}

/// A copy in which every byte that belongs to no character is U+FFFD.
std::string repair(std::string_view text) {
    std::string repaired;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Unit unit = next_unit(text, at);
        const bool whole = unit.kind == Utf8Unit::Kind::character;
        repaired += whole ? text.substr(at, unit.size) : replacement_character;
        at += whole ? unit.size : 1;
    }
    return repaired;
}

} // namespace

PreTokenizer::PreTokenizer(const PreTokenizerRule& rule) {
    for (const PreTokenizerStep& step : rule.steps) steps_.push_back(std::make_unique<Step>(step));
}
PreTokenizer::~PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;

std::vector<std::size_t> PreTokenizer::split(std::string_view text) const {
    if (text.empty()) return {};
    if (!is_utf8(text)) return sizes_before_repair(text, split(repair(text)));

    std::vector<std::size_t> sizes{text.size()};
    std::vector<std::size_t> finer;
    std::vector<std::size_t> cuts;
    for (const auto& step : steps_) {
        Pattern::Search search(step->pattern);
        finer.clear();
        std::size_t begin = 0;
        for (const std::size_t size : sizes) {
            const std::string_view word = text.substr(begin, size);
            begin += size;
            cuts.clear();
            for (auto match = search.next(word, 0); match; match = search.next(word, match->end)) {
                add_cuts(word, *match, step->digits, cuts);
                if (match->end == word.size()) break;
            }
            std::size_t last = 0;
            cuts.push_back(word.size());
            for (const std::size_t cut : cuts)
                if (cut > last) finer.push_back(cut - std::exchange(last, cut));
        }
        std::swap(sizes, finer);
    }
    return sizes;
}

} // namespace pillar::tokenizer
