#include "pillar/arguments/flag.hpp"

#include "cli11.hpp"
#include "words/nearest.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <utility>

namespace pillar::arguments {

Flag::Flag(Ranks ranks, const std::string& names, Takes takes) : ranks_(ranks), takes_(takes) {
    for (std::string_view name : split(names, ',')) {
        if (name.starts_with('!')) name.remove_prefix(1);
        names_.emplace_back(name);
    }
}

Flag& Flag::real(double& value, double lowest, double highest) {
    looks_ = Looks::like_a_number;
    return read(
        [this, &value, lowest, highest](const std::string& text) {
            value = real_number(text, typed(), lowest, highest);
        },
        [&value] { return fmt::format("{}", value); });
}

Flag& Flag::real(float& value, float lowest, float highest) {
    looks_ = Looks::like_a_number;
    return read(
        [this, &value, lowest, highest](const std::string& text) {
            value = real_number(text, typed(), lowest, highest);
        },
        [&value] { return fmt::format("{}", value); });
}

Flag& Flag::text(std::string& value) {
    looks_ = Looks::like_anything;
    return read([&value](const std::string& text) { value = text; }, [&value] { return value; });
}

Flag& Flag::name(std::string& value) {
    return read_name([&value](const std::string& text) { value = text; },
                     [&value] { return value; });
}

Flag& Flag::choice(std::string& value, std::initializer_list<const char*> words) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const char* word : words) pairs.emplace_back(word, word);
    return choice(value, std::move(pairs));
}

Flag& Flag::pieces(std::vector<std::string>& values) {
    return each([&values](const std::string& text) { values.push_back(text); },
                [&values] { return joined(values, ","); });
}

Flag& Flag::numbers(std::vector<std::size_t>& values, std::size_t lowest, std::size_t highest) {
    looks_ = Looks::like_a_number;
    return each(
        [this, &values, lowest, highest, is_given = false](const std::string& text) mutable {
            const std::vector<std::size_t> more = parse_numbers({text}, typed(), lowest, highest);
            if (!std::exchange(is_given, true)) values.clear(); // the default
            values.insert(values.end(), more.begin(), more.end());
        },
        [&values] { return joined(values, ","); });
}

Flag& Flag::read(std::function<void(const std::string&)> parse,
                 std::function<std::string()> shown) {
    parse_ = std::move(parse);
    shown_ = std::move(shown);
    return *this;
}

Flag& Flag::read_name(std::function<void(const std::string&)> parse,
                      std::function<std::string()> shown) {
    return read(
        [this, parse = std::move(parse)](const std::string& text) {
            if (text.empty()) refuse_empty();
            parse(text);
        },
        std::move(shown));
}

Flag& Flag::each(std::function<void(const std::string&)> parse,
                 std::function<std::string()> shown) {
    adds_up_ = true;
    return read_name(std::move(parse), std::move(shown));
}

Flag& Flag::compared_by(std::function<std::string()> key) {
    key_ = std::move(key);
    return *this;
}

Flag& Flag::looks(Looks looks) {
    looks_ = looks;
    return *this;
}

Flag& Flag::alone(std::string value) {
    takes_ = Takes::maybe_value;
    alone_ = std::move(value);
    return *this;
}

Flag& Flag::takes_pair() {
    is_pair_ = true;
    return *this;
}

Flag& Flag::with_default() {
    cli11::set_default(*option_, shown_());
    return *this;
}

bool Flag::has_name(std::string_view name) const noexcept {
    return std::ranges::find(names_, name) != names_.end();
}

const std::string& Flag::name_told() const noexcept {
    const auto is_long = [](const std::string& name) { return name.starts_with("--"); };
    const auto found = std::ranges::find_if(names_, is_long);
    return found == names_.end() ? names_.front() : *found;
}

const std::string& Flag::typed() const noexcept {
    return typed_.empty() ? name_told() : typed_;
}

Setting Flag::setting() const {
    const std::string shown = shown_();
    const std::string key = key_ ? key_() : shown;
    return {name_told(), key, shown.empty() ? key : shown};
}

void Flag::bind(CLI::Option* option) {
    option_ = option;
}

void Flag::refuse_word(const std::string& text, const std::vector<std::string>& known) const {
    if (text.empty()) refuse_empty();
    const std::string near = nearest(text, known);
    throw UsageError(fmt::format("{} {}: {}there {} {}", typed(), printable(text, 60),
                                 near.empty() ? "" : fmt::format("is {} meant? ", near),
                                 known.size() == 1 ? "is" : "are", joined(known, ", ")));
}

void Flag::refuse_empty() const {
    throw UsageError(fmt::format("{} has an empty value (an unset variable?)", typed()));
}

} // namespace pillar::arguments
