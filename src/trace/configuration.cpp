#include "pillar/trace/configuration.hpp"

#include <fmt/core.h>

namespace pillar::trace {

namespace {

ValueType type_of(const storage::Value& value) noexcept {
    if (std::holds_alternative<std::string>(value)) return ValueType::text;
    return std::holds_alternative<std::int64_t>(value) ? ValueType::integer : ValueType::number;
}

} // namespace

std::string Configuration::text_at(std::size_t index) const {
    const std::optional<storage::Value>& value = values_.at(index);
    if (!value) return "";
    if (const auto* text = std::get_if<std::string>(&*value)) return *text;
    if (const auto* integer = std::get_if<std::int64_t>(&*value))
        return fmt::format("{}", *integer);
    return fmt::format("{}", std::get<double>(*value));
}

bool Configuration::set_at(std::size_t index, storage::Value value) {
    if (type_of(value) != configuration_keys.at(index).type) return false;
    values_.at(index) = std::move(value);
    return true;
}

} // namespace pillar::trace
