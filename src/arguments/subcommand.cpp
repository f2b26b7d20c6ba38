#include "pillar/arguments/subcommand.hpp"

#include "cli11.hpp"

#include <algorithm>

namespace pillar::arguments {

Subcommand::Subcommand(CLI::App& app, std::string name) : app_(&app), name_(std::move(name)) {}

Flag& Subcommand::add(Ranks ranks, const std::string& names, const std::string& type,
                      const std::string& help) {
    Flag& flag = flags_.emplace_back(ranks, names, Flag::Takes::value);
    flag.bind(cli11::add_option(*app_, names, type, help, cli11::Times::last,
                                [&flag](const std::string& text) { flag.take(text); }));
    return flag;
}

Flag& Subcommand::add_list(Ranks ranks, const std::string& names, const std::string& type,
                           const std::string& help) {
    Flag& flag = flags_.emplace_back(ranks, names, Flag::Takes::value);
    flag.bind(cli11::add_option(*app_, names, type, help, cli11::Times::all,
                                [&flag](const std::string& text) { flag.take(text); }));
    return flag;
}

Flag& Subcommand::add_switch(Ranks ranks, const std::string& names, bool& value,
                             const std::string& help) {
    Flag& flag = flags_.emplace_back(ranks, names, Flag::Takes::nothing);
    flag.bind(cli11::add_switch(*app_, names, value, help));
    flag.read({}, [&value] { return std::string(value ? "yes" : "no"); });
    return flag;
}

void Subcommand::add_words(const std::string& name, std::vector<std::string>& words,
                           const std::string& type, const std::string& help) {
    cli11::add_words(*app_, name, words, type, help);
    takes_words_ = true;
}

std::string Subcommand::help() const {
    std::string text = cli11::help_of(*app_, "pillar");
    constexpr std::string_view mark = "{false}"; // CLI11's, of --no-something
    for (std::size_t at = 0; (at = text.find(mark)) != std::string::npos;) {
        const bool is_padded = text.substr(at + mark.size(), 1) == " "; // help in columns
        text.replace(at, mark.size(), is_padded ? std::string(mark.size(), ' ') : std::string());
    }
    return text;
}

Flag* Subcommand::find(std::string_view name) {
    const auto found =
        std::ranges::find_if(flags_, [name](const Flag& flag) { return flag.has_name(name); });
    return found == flags_.end() ? nullptr : &*found;
}

std::vector<Setting> Subcommand::settings() const {
    std::vector<Setting> settings = {{"the subcommand", name_, name_}};
    for (const Flag& flag : flags_)
        if (flag.ranks() == Ranks::same) settings.push_back(flag.setting());
    return settings;
}

void Subcommand::finish(Command& command) const {
    for (const auto& check : checks_) check();
    fill_(command);
}

} // namespace pillar::arguments
