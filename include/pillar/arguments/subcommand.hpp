#pragma once
// A subcommand's flags and what it does. There is no way to add a flag without saying whether ranks
// may be started with different values of it.

#include "pillar/arguments/flag.hpp"

#include "pillar/arguments/command.hpp"

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace pillar::arguments {

class Subcommand {
  public:
    /// `app`: CLI11's, which writes the help and outlives this.
    Subcommand(CLI::App& app, std::string name);
    Subcommand(const Subcommand&) = delete;
    Subcommand& operator=(const Subcommand&) = delete;

    /// A flag with a value, `type` in the help: add(Ranks::same, "-c,--ctx-size", "N",
    /// "…").whole(…). Given twice, the last one counts.
    Flag& add(Ranks ranks, const std::string& names, const std::string& type,
              const std::string& help);
    /// The same where the flag may be given again and adds to what there is: pieces(…).
    Flag& add_list(Ranks ranks, const std::string& names, const std::string& type,
                   const std::string& help);
    /// "--escape,!--no-escape": on, off.
    Flag& add_switch(Ranks ranks, const std::string& names, bool& value, const std::string& help);
    /// Arguments that are no flags.
    void add_words(const std::string& name, std::vector<std::string>& words,
                   const std::string& type, const std::string& help);
    /// Called once all flags are read, in order: `check` throws UsageError when they do not go
    /// together.
    void expect(std::function<void()> check) { checks_.push_back(std::move(check)); }
    /// Then: fill in the command.
    void when_called(std::function<void(Command&)> fill) { fill_ = std::move(fill); }

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] std::string help() const;
    [[nodiscard]] const std::deque<Flag>& flags() const noexcept { return flags_; }
    /// "-c" or "--ctx-size"; nullptr: no such flag here.
    [[nodiscard]] Flag* find(std::string_view name);
    [[nodiscard]] bool takes_words() const noexcept { return takes_words_; }

    /// What ranks compare: the subcommand's name and the values of flags that must be the same.
    [[nodiscard]] std::vector<Setting> settings() const;
    void finish(Command& command) const;

  private:
    CLI::App* app_;
    std::string name_;
    std::deque<Flag> flags_; ///< they never move
    bool takes_words_ = false;
    std::vector<std::function<void()>> checks_;
    std::function<void(Command&)> fill_;
};

} // namespace pillar::arguments
