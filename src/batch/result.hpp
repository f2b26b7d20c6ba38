#pragma once
// What becomes of a request, as one line of OpenAI's batch format.

#include "request.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::batch {

/// What ids of results begin with.
inline constexpr std::string_view id_prefix = "batch_req_";
/// The id of line `line` in results, by which a restart knows it: "batch_req_17".
std::string id_of(std::uint64_t line);

/// All choices have ended.
std::string result_line(std::uint64_t line, const Request& request,
                        const std::vector<std::unique_ptr<engine::Sequence>>& choices,
                        const tokenizer::Tokenizer& tokenizer, const std::string& model);

/// The line was not computed.
std::string error_line(std::uint64_t line, const std::string& custom_id,
                       const std::string& message);

} // namespace pillar::batch
