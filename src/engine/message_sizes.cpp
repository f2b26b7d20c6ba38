#include "pillar/engine/message_sizes.hpp"

#include "message.hpp"

namespace pillar::engine {

std::size_t order_bytes(std::size_t n_rows) noexcept {
    return sizeof(OrderHead) + n_rows * sizeof(OrderRow);
}

std::size_t answer_bytes(std::size_t n_logit_rows, std::size_t n_candidates) noexcept {
    return sizeof(AnswerHead) +
           n_logit_rows * (sizeof(AnswerRow) + n_candidates * sizeof(AnswerCandidate));
}

} // namespace pillar::engine
