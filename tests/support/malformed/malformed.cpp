// Gathers the cases and shows them as a table.

#include "support/malformed/malformed.hpp"

#include "support/malformed/lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace pillar::support {

namespace {

/// The parts of "a|b".
std::vector<std::string_view> alternatives(std::string_view field) {
    std::vector<std::string_view> parts;
    while (!field.empty()) {
        const std::size_t end = std::min(field.find('|'), field.size());
        parts.push_back(field.substr(0, end));
        field.remove_prefix(std::min(end + 1, field.size()));
    }
    return parts;
}

/// "`a` or `b`": what the refusals of a class name, each once.
std::string fields_of(std::vector<MalformedCase>::const_iterator begin,
                      std::vector<MalformedCase>::const_iterator end) {
    std::vector<std::string> fields;
    for (; begin != end; ++begin)
        for (const std::string_view part : alternatives(begin->field)) {
            std::string field = fmt::format("`{}`", part);
            if (std::ranges::find(fields, field) == fields.end())
                fields.push_back(std::move(field));
        }
    return fmt::format("{}", fmt::join(fields, " or "));
}

} // namespace

std::string_view name_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::refuse:
        return "refuse";
    case Verdict::accept:
        return "accept";
    case Verdict::warn:
        return "warn";
    case Verdict::refuse_when_checked:
        return "refuse when checked";
    }
    return "";
}

std::string_view name_of(Owner owner) {
    switch (owner) {
    case Owner::gguf:
        return "gguf";
    case Owner::tokenizer:
        return "tokenizer";
    case Owner::model:
        return "model";
    case Owner::cli:
        return "cli";
    }
    return "";
}

std::vector<MalformedCase> malformed_cases(std::uint64_t seed) {
    Cases cases;
    add_header_cases(cases);
    add_metadata_cases(cases, seed);
    add_tensor_cases(cases, seed);
    add_bounds_cases(cases);
    add_arithmetic_cases(cases);
    add_limit_cases(cases);
    add_oddity_cases(cases);
    add_vocabulary_cases(cases);
    add_hyperparameter_cases(cases);
    add_expert_cases(cases);
    add_architecture_cases(cases);
    add_template_cases(cases);
    return cases;
}

std::string malformed_table(const std::vector<MalformedCase>& cases) {
    std::string table =
        "# Malformed model files\n\n"
        "What is built by `tests/support/malformed/*.cpp` and what becomes of it. *Owner* is the "
        "module "
        "that has to notice; a refusal is one line with exit code 65 that names the *field* (one "
        "of "
        "them where several are given) and, where there is one, the byte. `make_malformed --table` "
        "writes this page.\n\n"
        "| family | class | what it is | verdict | field | owner |\n"
        "|---|---|---|---|---|---|\n";
    for (auto entry = cases.begin(); entry != cases.end();) {
        const auto next = std::find_if(entry, cases.end(), [&](const MalformedCase& other) {
            return other.class_name != entry->class_name;
        });
        table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", entry->family, entry->class_name,
                             entry->claim, name_of(entry->verdict), fields_of(entry, next),
                             name_of(entry->owner));
        entry = next;
    }
    return table;
}

bool names_field(std::string_view text, std::string_view field) {
    if (field.empty()) return true;
    return std::ranges::any_of(alternatives(field), [&](std::string_view alternative) {
        return text.find(alternative) != std::string_view::npos;
    });
}

} // namespace pillar::support
