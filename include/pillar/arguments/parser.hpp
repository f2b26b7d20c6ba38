#pragma once
// From argv to a command: the words are taken apart here, so that each mistake has its own
// sentence; CLI11 reads what is then plain, and writes the help.

#include "pillar/arguments/subcommand.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace pillar::arguments {

class Parser {
  public:
    Parser();
    Subcommand& add(const std::string& name, const std::string& help);
    [[nodiscard]] const std::deque<Subcommand>& subcommands() const noexcept {
        return subcommands_;
    }
    [[nodiscard]] std::string help() const;

    /// Fills in the command of the subcommand named first in `arguments` (argv without the
    /// program). Throws UsageError.
    Command parse(const std::vector<std::string>& arguments);

  private:
    [[nodiscard]] Subcommand& called(const std::string& word);
    void hand_to_cli11(const Subcommand& subcommand, std::vector<std::string> arguments);

    std::shared_ptr<CLI::App> app_;
    std::deque<Subcommand> subcommands_;
};

} // namespace pillar::arguments
