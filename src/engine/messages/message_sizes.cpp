#include "pillar/engine/message_sizes.hpp"

#include "message.hpp"

namespace pillar::engine {

std::size_t request_bytes(std::size_t n_rows) noexcept {
    return sizeof(RequestHead) + n_rows * sizeof(RequestRow);
}

std::size_t reply_bytes(std::size_t n_logit_rows, std::size_t n_candidates) noexcept {
    return sizeof(ReplyHead) +
           n_logit_rows * (sizeof(ReplyRow) + n_candidates * sizeof(ReplyCandidate));
}

} // namespace pillar::engine
