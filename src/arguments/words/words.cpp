#include "words.hpp"

#include "foreign_flags.hpp"
#include "nearest.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <fstream>
#include <optional>

namespace pillar::arguments {

namespace {

bool is_flag_like(std::string_view word) {
    return word.size() >= 2 && word[0] == '-' &&
           (word[1] == '-' || std::isalpha(static_cast<unsigned char>(word[1])) != 0);
}

/// By its name, or by its first bytes.
bool is_gguf(const std::string& path) {
    if (path.ends_with(".gguf")) return true;
    char magic[4] = {};
    std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
    return std::string_view(magic, sizeof magic) == "GGUF";
}

class Reader {
  public:
    Reader(Subcommand& subcommand, std::span<const std::string> arguments)
        : subcommand_(&subcommand), arguments_(arguments) {}

    PlainArguments read() {
        for (; at_ < arguments_.size() && !plain_.wants_help; ++at_) {
            const std::string& argument = arguments_[at_];
            if (argument == "--") {
                lone_.insert(lone_.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                             arguments_.end());
                break;
            }
            if (is_flag_like(argument))
                flag(argument);
            else
                lone_.push_back(argument);
        }
        if (!plain_.wants_help) place_lone_words();
        return std::move(plain_);
    }

  private:
    void flag(const std::string& argument) {
        const std::size_t equals = argument.find('=');
        const std::string name = argument.substr(0, equals);
        std::optional<std::string> value;
        if (equals != std::string::npos) value = argument.substr(equals + 1);
        if (name == "-h" || name == "--help") {
            plain_.wants_help = true;
        } else if (Flag* known = subcommand_->find(name)) {
            known_flag(*known, name, std::move(value));
        } else if (Flag* letter = flag_with_glued_value(argument)) {
            known_flag(*letter, argument.substr(0, 2), argument.substr(2));
        } else {
            refuse(name);
        }
    }

    void known_flag(Flag& flag, const std::string& name, std::optional<std::string> value) {
        flag.note_typed(name);
        if (flag.takes() == Flag::Takes::nothing) {
            if (value)
                throw usage(fmt::format("{} takes no value, but has {}", name, quoted(*value)));
            plain_.words.push_back(name);
            return;
        }
        if (!value) value = next_value(flag, name);
        if (flag.is_pair()) *value += " " + next_value(flag, name + " " + *value);
        if (name == "--model" || name == "-m") model_ = value;
        give(flag, *value);
    }

    void give(const Flag& flag, const std::string& value) {
        if (value.empty()) { // CLI11 takes --name= for one whose value follows
            plain_.words.push_back(flag.name_told());
            plain_.words.emplace_back();
        } else {
            plain_.words.push_back(flag.name_told() + "=" + value);
        }
    }

    /// The argument behind the flag, unless that is clearly none of its values.
    std::string next_value(const Flag& flag, const std::string& name) {
        const bool is_last = at_ + 1 == arguments_.size();
        const bool is_flag = !is_last && is_flag_like(arguments_[at_ + 1]) &&
                             flag.looks() != Flag::Looks::like_anything;
        if (flag.takes() == Flag::Takes::maybe_value && (is_last || is_flag))
            return flag.value_alone();
        if (is_last) throw usage(fmt::format("{} wants a value, but nothing follows it", name));
        if (is_flag)
            throw usage(fmt::format("{} wants a value, but {} follows it", name,
                                    shown(arguments_[at_ + 1])));
        return arguments_[++at_];
    }

    /// -n5, -t4, -mmodel.gguf: the flag of the letter, unless the word is more likely a misspelt
    /// one.
    Flag* flag_with_glued_value(const std::string& word) {
        if (word.size() < 3 || word[1] == '-') return nullptr;
        Flag* flag = subcommand_->find(word.substr(0, 2));
        if (flag == nullptr || flag->takes() != Flag::Takes::value) return nullptr;
        const std::string_view value = std::string_view(word).substr(2);
        if (flag->looks() == Flag::Looks::like_a_number)
            return value.find_first_not_of("0123456789+-.,*e") == std::string_view::npos &&
                           value[0] != 'e'
                       ? flag
                       : nullptr;
        const bool is_flag = !about_foreign_flag(word).empty() ||
                             !about_foreign_flag("-" + word).empty() || !suggestion(word).empty();
        return is_flag ? nullptr : flag;
    }

    /// The flag of this subcommand that comes nearest.
    std::string suggestion(const std::string& name) const {
        std::vector<std::string> known = {"--help"};
        for (const Flag& flag : subcommand_->flags())
            known.insert(known.end(), flag.names().begin(), flag.names().end());
        return nearest(name, known);
    }

    [[noreturn]] void refuse(const std::string& name) const {
        const std::string near = suggestion(name);
        if (name[1] != '-' && subcommand_->find("-" + name) != nullptr)
            throw usage(
                fmt::format("{}: names of more than a letter have two dashes: -{}", name, name));
        const std::string about = about_foreign_flag(name);
        if (!about.empty()) throw usage(fmt::format("{} {}", name, about));
        if (name[1] != '-') {
            const std::string about_long = about_foreign_flag("-" + name);
            if (!about_long.empty()) throw usage(fmt::format("-{} {}", name, about_long));
        }
        throw usage(fmt::format("there is no {} here{}", shown(name),
                                near.empty() ? "" : fmt::format(" (is {} meant?)", near)));
    }

    void place_lone_words() {
        if (subcommand_->takes_words()) {
            if (lone_.empty()) return;
            plain_.words.emplace_back("--");
            plain_.words.insert(plain_.words.end(), lone_.begin(), lone_.end());
            return;
        }
        for (const std::string& word : lone_) place(word);
    }

    void place(const std::string& word) {
        Flag* model = subcommand_->find("--model");
        if (model == nullptr || word.empty() || !is_gguf(word)) refuse_lone(word);
        if (model_ && !model->adds_up())
            throw usage(fmt::format("two models are given, {} and {}: name one", quoted(*model_),
                                    quoted(word)));
        model_ = word;
        give(*model, word);
    }

    [[noreturn]] void refuse_lone(const std::string& word) const {
        const bool has_model = subcommand_->find("--model") != nullptr;
        const bool has_prompt =
            subcommand_->find("--prompt") != nullptr && subcommand_->find("-p") != nullptr;
        throw usage(fmt::format(
            "{} belongs to no flag{}{}{}", quoted(word), has_model ? ": give a model with -m" : "",
            has_prompt ? ", a prompt with -p" : "",
            has_prompt && word.find(' ') == std::string::npos ? " (in quotes when it has blanks)"
                                                              : ""));
    }

    static std::string shown(const std::string& word) { return printable(word, 60); }
    static std::string quoted(const std::string& word) {
        return fmt::format("\"{}\"", printable(word, 60));
    }
    UsageError usage(const std::string& sentence) const {
        return UsageError(fmt::format("{}; see `pillar {} --help`", sentence, subcommand_->name()));
    }

    Subcommand* subcommand_;
    std::span<const std::string> arguments_;
    std::size_t at_ = 0;
    PlainArguments plain_;
    std::vector<std::string> lone_;
    std::optional<std::string> model_;
};

} // namespace

PlainArguments take_apart(Subcommand& subcommand, std::span<const std::string> arguments) {
    return Reader(subcommand, arguments).read();
}

} // namespace pillar::arguments
