#pragma once
// `logits`: the model's logits after every given token, for comparison with other engines.

#include "pillar/comm/environment.hpp"
#include "pillar/session/options.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pillar::generate {

struct LogitsOptions {
    session::ModelOptions model;
    terminal::PromptOptions prompt;
    std::vector<std::size_t> ids; ///< instead of a prompt
    std::string output = "logits.h5";
    bool force = false;
};

/// Collective. Returns the exit code. Throws comm::AgreedError.
int write_logits(const LogitsOptions& options, comm::Environment& environment);

} // namespace pillar::generate
