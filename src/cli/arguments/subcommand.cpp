#include "subcommand.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace pillar::cli {

namespace {

constexpr int max_times = 1 << 20; ///< that a flag is given

} // namespace

Subcommand::Subcommand(CLI::App& app, std::string name) : app_(&app), name_(std::move(name)) {}

Flag& Subcommand::add_option(Flag& flag, const std::string& names, const std::string& type,
                             const std::string& help) {
    CLI::Option* option = app_->add_option(
        names,
        [&flag](const CLI::results_t& values) {
            for (const std::string& value : values) flag.take(value);
            return true;
        },
        help);
    option->type_name(type);
    flag.bind(option);
    return flag;
}

Flag& Subcommand::add(Ranks ranks, const std::string& names, const std::string& type,
                      const std::string& help) {
    Flag& flag =
        add_option(flags_.emplace_back(ranks, names, Flag::Takes::value), names, type, help);
    app_->get_option(flag.name_told())->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return flag;
}

Flag& Subcommand::add_list(Ranks ranks, const std::string& names, const std::string& type,
                           const std::string& help) {
    Flag& flag =
        add_option(flags_.emplace_back(ranks, names, Flag::Takes::value), names, type, help);
    app_->get_option(flag.name_told())->expected(1, max_times);
    return flag;
}

Flag& Subcommand::add_switch(Ranks ranks, const std::string& names, bool& value,
                             const std::string& help) {
    Flag& flag = flags_.emplace_back(ranks, names, Flag::Takes::nothing);
    CLI::Option* option = app_->add_flag(names, value, help);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    flag.bind(option);
    flag.read({}, [&value] { return std::string(value ? "yes" : "no"); });
    return flag;
}

void Subcommand::add_words(const std::string& name, std::vector<std::string>& words,
                           const std::string& type, const std::string& help) {
    app_->add_option(name, words, help)->type_name(type);
    takes_words_ = true;
}

std::string Subcommand::help() const {
    std::string text = app_->help("pillar");
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

} // namespace pillar::cli
