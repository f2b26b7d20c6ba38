#include "nearest.hpp"

#include <algorithm>
#include <vector>

namespace pillar::arguments {

namespace {

std::string_view without_dashes(std::string_view word) {
    word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
    return word;
}

} // namespace

std::size_t typing_errors(std::string_view a, std::string_view b) {
    // rows of the table of optimal string alignment: the last two and the one being filled
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before = last;
        last = row;
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::string nearest(std::string_view typed, std::span<const std::string> known) {
    const std::string_view word = without_dashes(typed);
    std::string best;
    std::size_t fewest = 0;
    for (const std::string& candidate : known) {
        const std::string_view other = without_dashes(candidate);
        if (other.size() < 2) continue; // every letter is near
        const std::size_t errors = typing_errors(word, other);
        if (errors * 3 > std::max(other.size(), word.size())) continue;
        if (best.empty() || errors < fewest) {
            best = candidate;
            fewest = errors;
        }
    }
    return best;
}

} // namespace pillar::arguments
