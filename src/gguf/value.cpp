// Metadata accessors: look a key up, check type and range, or say in one sentence what the file
// holds instead.

#include "pillar/gguf/value.hpp"

#include <cmath>
#include <concepts>
#include <fmt/core.h>
#include <limits>
#include <type_traits>
#include <utility>

namespace pillar::gguf {

namespace {

template <class T>
constexpr bool is_integer = std::integral<T> && !std::same_as<T, bool>;

template <class T>
constexpr bool is_integer_vector = false;
template <class T>
constexpr bool is_integer_vector<std::vector<T>> = is_integer<T>;

/// "a string", "an array of u8 with 3 elements": what stands in the file, for errors.
std::string description(const Value& value) {
    if (const auto* array = std::get_if<Array>(&value.value))
        return fmt::format("an array of {} with {} elements", name_of(array->element),
                           array->size());
    return fmt::format("a value of type {}", name_of(value.type));
}

std::string wrong_type(const Value& value, std::string_view wanted) {
    return fmt::format("is {}, but {} is needed", description(value), wanted);
}

/// The elements as T, or nullptr when the value is no array of T.
template <class T>
const std::vector<T>* elements_of(const Value& value) {
    const auto* array = std::get_if<Array>(&value.value);
    return array == nullptr ? nullptr : std::get_if<std::vector<T>>(&array->values);
}

} // namespace

std::string_view name_of(ValueType type) noexcept {
    switch (type) {
    case ValueType::uint8:
        return "u8";
    case ValueType::int8:
        return "i8";
    case ValueType::uint16:
        return "u16";
    case ValueType::int16:
        return "i16";
    case ValueType::uint32:
        return "u32";
    case ValueType::int32:
        return "i32";
    case ValueType::float32:
        return "f32";
    case ValueType::boolean:
        return "bool";
    case ValueType::string:
        return "string";
    case ValueType::array:
        return "array";
    case ValueType::uint64:
        return "u64";
    case ValueType::int64:
        return "i64";
    case ValueType::float64:
        return "f64";
    }
    return "unknown";
}

std::size_t Array::size() const noexcept {
    return std::visit(
        [](const auto& elements) -> std::size_t {
            if constexpr (std::same_as<std::remove_cvref_t<decltype(elements)>, Nested>)
                return elements.count;
            else
                return elements.size();
        },
        values);
}

bool Metadata::add(std::string key, Value value) {
    const auto [place, is_new] = index_.try_emplace(key, entries_.size());
    if (is_new) entries_.push_back({std::move(key), std::move(value)});
    return is_new;
}

const Value* Metadata::find(std::string_view key) const noexcept {
    const auto place = index_.find(key);
    return place == index_.end() ? nullptr : &entries_[place->second].value;
}

std::optional<std::uint64_t> Metadata::integer(std::string_view key, std::uint64_t lowest,
                                               std::uint64_t highest) const {
    const Value* found = find(key);
    if (found == nullptr) return std::nullopt;
    return std::visit(
        [&](const auto& held) -> std::uint64_t {
            if constexpr (is_integer<std::remove_cvref_t<decltype(held)>>) {
                if (std::cmp_less(held, lowest) || std::cmp_greater(held, highest))
                    throw error(key, fmt::format("is {}, outside {} to {}", held, lowest, highest));
                return static_cast<std::uint64_t>(held);
            } else {
                throw error(key, wrong_type(*found, "an integer"));
            }
        },
        found->value);
}

std::optional<double> Metadata::number(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return std::nullopt;
    const double number = std::visit(
        [&](const auto& held) -> double {
            using Held = std::remove_cvref_t<decltype(held)>;
            if constexpr (is_integer<Held> || std::floating_point<Held>)
                return static_cast<double>(held);
            else
                throw error(key, wrong_type(*found, "a number"));
        },
        found->value);
    if (!std::isfinite(number)) throw error(key, fmt::format("is {}, not a finite number", number));
    return number;
}

std::optional<bool> Metadata::boolean(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (const bool* held = std::get_if<bool>(&found->value)) return *held;
    throw error(key, wrong_type(*found, "a bool"));
}

const std::string* Metadata::string(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return nullptr;
    if (const auto* held = std::get_if<std::string>(&found->value)) return held;
    throw error(key, wrong_type(*found, "a string"));
}

const std::vector<std::string>* Metadata::strings(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return nullptr;
    if (const auto* held = elements_of<std::string>(*found)) return held;
    throw error(key, wrong_type(*found, "an array of strings"));
}

const std::vector<float>* Metadata::floats(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return nullptr;
    if (const auto* held = elements_of<float>(*found)) return held;
    throw error(key, wrong_type(*found, "an array of f32"));
}

std::optional<std::vector<std::int64_t>> Metadata::integers(std::string_view key) const {
    const Value* found = find(key);
    if (found == nullptr) return std::nullopt;
    const auto* array = std::get_if<Array>(&found->value);
    if (array == nullptr) throw error(key, wrong_type(*found, "an array of integers"));
    return std::visit(
        [&](const auto& elements) -> std::vector<std::int64_t> {
            if constexpr (is_integer_vector<std::remove_cvref_t<decltype(elements)>>) {
                std::vector<std::int64_t> result;
                result.reserve(elements.size());
                for (const auto element : elements) {
                    if (!std::in_range<std::int64_t>(element))
                        throw error(key,
                                    fmt::format("has element {}, which does not fit i64", element));
                    result.push_back(static_cast<std::int64_t>(element));
                }
                return result;
            } else {
                throw error(key, wrong_type(*found, "an array of integers"));
            }
        },
        array->values);
}

FormatError Metadata::error(std::string_view key, const std::string& problem) const {
    const Value* found = find(key);
    const auto offset = found == nullptr ? std::nullopt : std::optional(found->offset);
    return {file_, std::string(key), offset, problem};
}

} // namespace pillar::gguf
