#pragma once
// One line of the input as what is to be computed.

#include "pillar/chat/message.hpp"
#include "pillar/engine/sequence.hpp"

#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pillar::batch {

enum class Endpoint : std::uint8_t { chat, completions };

/// Why a line is not computed: its result says so, the others go on.
class BadRequest : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct Request {
    std::string custom_id;
    Endpoint endpoint = Endpoint::chat;
    std::string model;           ///< as given; told again
    chat::Conversation messages; ///< of chat
    std::string prompt;          ///< of completions
    std::int32_t n_choices = 1;
    engine::SequenceOptions options; ///< of each choice; choice i has the seed + i
};

/// What a request says nothing of is as in `defaults`. Throws BadRequest that names the field.
/// `custom_id` is set as soon as it is known, also where the rest is bad.
Request parse_request(std::string_view line, const engine::SequenceOptions& defaults,
                      std::string& custom_id);

} // namespace pillar::batch
