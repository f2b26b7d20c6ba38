// The list of symbols.

#include "pillar/tokenizer/merge.hpp"

namespace pillar::tokenizer {

void MergeSpace::append(std::uint32_t begin, std::uint32_t piece) {
    const auto number = static_cast<std::uint32_t>(symbols.size());
    if (number != 0) symbols.back().next = number;
    symbols.push_back({begin, piece, number == 0 ? no_symbol : number - 1, no_symbol, {}});
}

} // namespace pillar::tokenizer
