#include "pillar/arguments/parser.hpp"

#include "cli11.hpp"
#include "same_start.hpp"
#include "words/nearest.hpp"
#include "words/words.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::arguments {

Parser::Parser()
    : app_(cli11::make_app(
          {"pillar runs GGUF language models on clusters of small boards: one program on every "
           "rank,\n"
           "each with its own slice of the model.  mpirun -n RANKS pillar SUBCOMMAND ...",
           "pillar", std::string(version()),
           "`pillar SUBCOMMAND --help` tells a subcommand's flags. docs/running.md has the "
           "rest."})) {}

Subcommand& Parser::add(const std::string& name, const std::string& help) {
    return subcommands_.emplace_back(cli11::add_subcommand(*app_, name, help), name);
}

std::string Parser::help() const {
    return cli11::help_of(*app_);
}

Subcommand& Parser::called(const std::string& word) {
    const auto found = std::ranges::find(subcommands_, word, &Subcommand::name);
    if (found != subcommands_.end()) return *found;
    std::vector<std::string> names;
    for (const Subcommand& subcommand : subcommands_) names.push_back(subcommand.name());
    if (word.starts_with('-'))
        throw UsageError(fmt::format("the subcommand comes first, but {} does: pillar SUBCOMMAND "
                                     "[FLAGS], where SUBCOMMAND is {}; see `pillar --help`",
                                     printable(word, 60), joined(names, ", ")));
    const std::string near = nearest(word, names);
    throw UsageError(fmt::format("there is no subcommand \"{}\"{}; see `pillar --help`",
                                 printable(word, 60),
                                 near.empty() ? fmt::format(": there are {}", joined(names, ", "))
                                              : fmt::format(" (is {} meant?)", near)));
}

void Parser::hand_to_cli11(const Subcommand& subcommand, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), subcommand.name());
    if (const std::string fault = cli11::parse(*app_, std::move(arguments)); !fault.empty())
        throw UsageError(fmt::format("{}; see `pillar {} --help`", fault, subcommand.name()));
}

Command Parser::parse(const std::vector<std::string>& arguments) {
    Subcommand& subcommand = called(arguments.front());
    PlainArguments plain = take_apart(subcommand, std::span(arguments).subspan(1));
    if (plain.wants_help) return say(subcommand.help());
    hand_to_cli11(subcommand, std::move(plain.words));
    Command command;
    subcommand.finish(command);
    if (command.run_with_ranks)
        command.run_with_ranks =
            [settings = subcommand.settings(), timeout_s = command.timeout_s,
             run = std::move(command.run_with_ranks)](comm::Environment& environment) {
                expect_same_start(environment, settings, timeout_s);
                return run(environment);
            };
    return command;
}

} // namespace pillar::arguments
