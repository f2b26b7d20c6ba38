#pragma once
// CLI11 behind functions: it costs seconds in every file that includes it, so one does. It writes
// the help, and reads words that are plain already (words.hpp).

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace pillar::arguments::cli11 {

struct Texts {
    std::string description;
    std::string name;
    std::string version;
    std::string footer;
};
std::shared_ptr<CLI::App> make_app(const Texts& texts);
/// Lives as long as `app`.
CLI::App& add_subcommand(CLI::App& app, const std::string& name, const std::string& help);

/// How often a flag's value counts.
enum class Times { last, all };
/// `take` is called with each value.
CLI::Option* add_option(CLI::App& app, const std::string& names, const std::string& type,
                        const std::string& help, Times times,
                        std::function<void(const std::string&)> take);
CLI::Option* add_switch(CLI::App& app, const std::string& names, bool& value,
                        const std::string& help);
/// Arguments that are no flags.
void add_words(CLI::App& app, const std::string& name, std::vector<std::string>& words,
               const std::string& type, const std::string& help);
/// What the help tells as the default.
void set_default(CLI::Option& option, const std::string& text);

/// `name`: of the program, as usage lines have it; empty: the app's own.
std::string help_of(const CLI::App& app, const std::string& name = "");
/// The subcommand first. What `take` throws goes through; a message where CLI11 itself has one,
/// else empty.
std::string parse(CLI::App& app, std::vector<std::string> words);

} // namespace pillar::arguments::cli11
