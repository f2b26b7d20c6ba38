#include "pillar/tables/record.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <type_traits>

namespace pillar::tables {

Record::Record(std::initializer_list<Field> fields) : fields_(fields) {}

void Record::set(std::string_view name, Value value) {
    const auto found = std::ranges::find(fields_, name, &Field::name);
    if (found != fields_.end())
        found->value = std::move(value);
    else
        fields_.push_back({std::string(name), std::move(value)});
}

const Value* Record::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(fields_, name, &Field::name);
    return found == fields_.end() ? nullptr : &found->value;
}

const Value& Record::operator[](std::string_view name) const {
    const Value* found = find(name);
    expects(found != nullptr, "a record has the field that is asked for");
    return *found;
}

double Value::number() const {
    return std::visit(
        [](const auto& value) -> double {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
                return static_cast<double>(value);
            else
                throw Error(ExitCode::internal, "a field of a table is no number");
        },
        content_);
}

std::string Value::text() const {
    return std::visit(
        [](const auto& value) -> std::string {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::monostate>)
                return "";
            else if constexpr (std::is_same_v<T, bool>)
                return value ? "true" : "false";
            else if constexpr (std::is_same_v<T, std::string>)
                return value;
            else if constexpr (std::is_floating_point_v<T>)
                return std::isfinite(value) ? fmt::format("{}", value) : "";
            else if constexpr (std::is_arithmetic_v<T>)
                return fmt::format("{}", value);
            else
                throw Error(ExitCode::internal, "a field of a table is a list or a record");
        },
        content_);
}

} // namespace pillar::tables
