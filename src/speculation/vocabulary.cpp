#include "pillar/speculation/vocabulary.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::speculation {

std::string difference(const tokenizer::Vocabulary& model, const tokenizer::Vocabulary& draft) {
    if (model.model != draft.model)
        return fmt::format("one is of the kind {}, the other of {}", printable(model.model),
                           printable(draft.model));
    const std::size_t n = std::min(model.size(), draft.size());
    for (std::size_t id = 0; id < n; ++id)
        if (model.pieces[id] != draft.pieces[id])
            return fmt::format("token {} is \"{}\" in one, \"{}\" in the other", id,
                               printable(model.pieces[id], 40), printable(draft.pieces[id], 40));
    const tokenizer::Vocabulary& longer = model.size() > n ? model : draft;
    for (std::size_t id = n; id < longer.size(); ++id)
        if (longer.types[id] != tokenizer::TokenType::unused)
            return fmt::format("one has {}, the other {}", counted(model.size(), "token"),
                               draft.size());
    return {};
}

} // namespace pillar::speculation
