#include "cli11.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

namespace pillar::arguments::cli11 {

namespace {

constexpr int max_times = 1 << 20; ///< that a flag is given

} // namespace

std::shared_ptr<CLI::App> make_app(const Texts& texts) {
    auto app = std::make_shared<CLI::App>(texts.description, texts.name);
    app->require_subcommand(0, 1);
    app->set_version_flag("--version", texts.version);
    app->footer(texts.footer);
    return app;
}

CLI::App& add_subcommand(CLI::App& app, const std::string& name, const std::string& help) {
    return *app.add_subcommand(name, help);
}

CLI::Option* add_option(CLI::App& app, const std::string& names, const std::string& type,
                        const std::string& help, Times times,
                        std::function<void(const std::string&)> take) {
    CLI::Option* option = app.add_option(
        names,
        [take = std::move(take)](const CLI::results_t& values) {
            for (const std::string& value : values) take(value);
            return true;
        },
        help);
    option->type_name(type);
    if (times == Times::last)
        option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    else
        option->expected(1, max_times);
    return option;
}

CLI::Option* add_switch(CLI::App& app, const std::string& names, bool& value,
                        const std::string& help) {
    return app.add_flag(names, value, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_words(CLI::App& app, const std::string& name, std::vector<std::string>& words,
               const std::string& type, const std::string& help) {
    app.add_option(name, words, help)->type_name(type);
}

void set_default(CLI::Option& option, const std::string& text) {
    option.default_str(text);
}

std::string help_of(const CLI::App& app, const std::string& name) {
    return name.empty() ? app.help() : app.help(name);
}

std::string parse(CLI::App& app, std::vector<std::string> words) {
    std::ranges::reverse(words); // as CLI11 wants them
    try {
        app.parse(words);
        return {};
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
}

} // namespace pillar::arguments::cli11
