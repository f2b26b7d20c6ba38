#pragma once
// One flag of a subcommand: its names, how its value is read, and whether ranks may be started with
// different ones.

#include "pillar/arguments/numbers.hpp"

#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class Option;
}

namespace pillar::arguments {

/// Must all ranks be started with the same?
enum class Ranks {
    same,       ///< it changes bits, shapes, messages or sampling: compared before all else
    may_differ, ///< rank 0's alone counts, or each rank has its own
};

/// As ranks compare it.
struct Setting {
    std::string name;  ///< "--ctx-size"
    std::string key;   ///< equal keys go together
    std::string shown; ///< to people
};

class Flag {
  public:
    enum class Takes { nothing, value, maybe_value };
    /// Which arguments can be meant as its value.
    enum class Looks { like_anything, like_a_name, like_a_number };

    Flag(Ranks ranks, const std::string& names, Takes takes);

    // How the value is read: one of these. What cannot be read throws UsageError.

    /// A decimal whole number.
    template <class Whole>
    Flag& whole(Whole& value, std::int64_t lowest, std::int64_t highest) {
        looks_ = Looks::like_a_number;
        return read(
            [this, &value, lowest, highest](const std::string& text) {
                value = static_cast<Whole>(whole_number(text, typed(), lowest, highest));
            },
            [&value] { return std::to_string(value); });
    }
    /// A finite number.
    Flag& real(double& value, double lowest, double highest);
    Flag& real(float& value, float lowest = std::numeric_limits<float>::lowest(),
               float highest = std::numeric_limits<float>::max());
    /// Any text, an empty one and one that looks like a flag too.
    Flag& text(std::string& value);
    /// A file or a name: not empty.
    Flag& name(std::string& value);
    /// One of these words.
    template <class Value>
    Flag& choice(Value& value, std::vector<std::pair<std::string, Value>> words) {
        std::vector<std::string> known;
        for (const auto& [word, meaning] : words) known.push_back(word);
        const auto find = [words = std::move(words)](auto is_it) {
            for (const auto& entry : words)
                if (is_it(entry)) return &entry;
            return static_cast<decltype(words.data())>(nullptr);
        };
        return read(
            [this, &value, find, known](const std::string& text) {
                const auto* found = find([&](const auto& entry) { return entry.first == text; });
                if (found == nullptr) refuse_word(text, known);
                value = found->second;
            },
            [&value, find] {
                const auto* found = find([&](const auto& entry) { return entry.second == value; });
                return found == nullptr ? std::string() : found->first;
            });
    }
    Flag& choice(std::string& value, std::initializer_list<const char*> words);
    /// Pieces, each as given: the flag may be given again, and adds to what there is.
    Flag& pieces(std::vector<std::string>& values);
    /// Lists of numbers, as parse_numbers() reads them: the first one replaces what `values` holds,
    /// further ones add to it.
    Flag& numbers(std::vector<std::size_t>& values, std::size_t lowest, std::size_t highest);
    /// Anything else: `parse` may throw UsageError, `shown` is the value as ranks compare it.
    Flag& read(std::function<void(const std::string&)> parse, std::function<std::string()> shown);

    /// The same, of a text that is not empty.
    Flag& read_name(std::function<void(const std::string&)> parse,
                    std::function<std::string()> shown);
    /// The same for a flag that may be given again: `parse` adds to what there is.
    Flag& each(std::function<void(const std::string&)> parse, std::function<std::string()> shown);

    /// What read() was given, for flags that add to it.
    [[nodiscard]] const std::function<void(const std::string&)>& parser() const noexcept {
        return parse_;
    }
    /// What ranks compare instead of the value.
    Flag& compared_by(std::function<std::string()> key);
    /// A number may follow its one-letter name at once: -n5.
    Flag& looks(Looks looks);
    /// The value of a flag that stands without one.
    Flag& alone(std::string value);
    /// Two arguments follow it, of which the first is a word: the value is both, with a blank
    /// between.
    Flag& takes_pair();
    /// Help tells the default.
    Flag& with_default();

    [[nodiscard]] Ranks ranks() const noexcept { return ranks_; }
    [[nodiscard]] Takes takes() const noexcept { return takes_; }
    [[nodiscard]] Looks looks() const noexcept { return looks_; }
    [[nodiscard]] bool adds_up() const noexcept { return adds_up_; }
    [[nodiscard]] bool is_pair() const noexcept { return is_pair_; }
    [[nodiscard]] const std::string& value_alone() const noexcept { return alone_; }
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    [[nodiscard]] bool has_name(std::string_view name) const noexcept;
    /// The first long name, or the only one.
    [[nodiscard]] const std::string& name_told() const noexcept;
    /// As the user has typed it.
    [[nodiscard]] const std::string& typed() const noexcept;
    [[nodiscard]] bool is_given() const noexcept { return !typed_.empty(); }
    void note_typed(std::string_view name) { typed_ = name; }

    void take(const std::string& text) { parse_(text); }
    [[nodiscard]] Setting setting() const;
    void bind(CLI::Option* option);

  private:
    [[noreturn]] void refuse_word(const std::string& text,
                                  const std::vector<std::string>& known) const;
    [[noreturn]] void refuse_empty() const;

    Ranks ranks_;
    Takes takes_;
    Looks looks_ = Looks::like_a_name;
    bool adds_up_ = false;
    bool is_pair_ = false;
    std::vector<std::string> names_;
    std::string alone_;
    std::string typed_;
    std::function<void(const std::string&)> parse_;
    std::function<std::string()> shown_;
    std::function<std::string()> key_;
    CLI::Option* option_ = nullptr;
};

} // namespace pillar::arguments
