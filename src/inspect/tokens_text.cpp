#include "pillar/inspect/tokens_text.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <fmt/core.h>

namespace pillar::inspect {

std::string tokens_text(const tokenizer::Tokenizer& tokenizer,
                        std::span<const tokenizer::TokenId> ids, bool pieces) {
    if (!pieces) return fmt::format("[{}]\n", joined(ids, ", "));
    std::string text;
    for (const tokenizer::TokenId id : ids)
        text += fmt::format("{:>8} -> '{}'\n", id, printable(tokenizer.piece(id, true)));
    return text;
}

} // namespace pillar::inspect
