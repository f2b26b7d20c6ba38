#pragma once
// The arguments behind a subcommand, one by one: whole words are looked at as such, so that -ngl is
// not -n with the value gl, and each argument that cannot be meant has a sentence of its own.

#include "pillar/arguments/subcommand.hpp"

#include <span>
#include <string>
#include <vector>

namespace pillar::arguments {

struct PlainArguments {
    bool wants_help = false;
    std::vector<std::string> words; ///< for CLI11: --name=value, --switch, values behind "--"
};

/// Throws UsageError. A lone GGUF file is the model where the subcommand has --model.
PlainArguments take_apart(Subcommand& subcommand, std::span<const std::string> arguments);

} // namespace pillar::arguments
