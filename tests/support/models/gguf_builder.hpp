#pragma once
// Builds GGUF files byte by byte from their pieces, right ones and wrong ones: every length, count
// and offset that a file states can be overridden. It shares no code with the reader and the writer
// that it is used to test.

#include "pillar/gguf/value.hpp"

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pillar::support {

/// The bytes of a number as they lie in a file.
template <class T>
requires std::is_arithmetic_v<T> std::string raw(T value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

/// Length and bytes of a string.
std::string raw_string(std::string_view text);
/// An array's value: element type, count, then `elements` as they are.
std::string raw_array(std::uint32_t element_type, std::uint64_t count, std::string_view elements);

/// The number of the value type that holds a T.
template <class T>
constexpr std::uint32_t type_number() {
    using gguf::ValueType;
    constexpr auto number = [] {
        if constexpr (std::same_as<T, std::uint8_t>) return ValueType::uint8;
        if constexpr (std::same_as<T, std::int8_t>) return ValueType::int8;
        if constexpr (std::same_as<T, std::uint16_t>) return ValueType::uint16;
        if constexpr (std::same_as<T, std::int16_t>) return ValueType::int16;
        if constexpr (std::same_as<T, std::uint32_t>) return ValueType::uint32;
        if constexpr (std::same_as<T, std::int32_t>) return ValueType::int32;
        if constexpr (std::same_as<T, float>) return ValueType::float32;
        if constexpr (std::same_as<T, bool>) return ValueType::boolean;
        if constexpr (std::same_as<T, std::string>) return ValueType::string;
        if constexpr (std::same_as<T, std::uint64_t>) return ValueType::uint64;
        if constexpr (std::same_as<T, std::int64_t>) return ValueType::int64;
        if constexpr (std::same_as<T, double>) return ValueType::float64;
    }();
    return static_cast<std::uint32_t>(number);
}

struct RawPair {
    std::string key = {};
    std::uint32_t type = 0;
    std::string value = {};                       ///< what follows the type
    std::optional<std::uint64_t> key_length = {}; ///< stated instead of the key's
};

struct RawTensor {
    std::string name = {};
    std::vector<std::uint64_t> shape = {};
    std::uint32_t type = 0;
    std::string data = {};
    std::optional<std::uint64_t> name_length = {};
    std::optional<std::uint32_t> n_dimensions = {};
    std::optional<std::uint64_t> offset = {}; ///< stated instead of the place where `data` is put
};

struct GgufBuilder {
    std::string magic = "GGUF";
    std::uint32_t version = 3;
    std::optional<std::uint64_t> n_tensors; ///< stated instead of the real counts
    std::optional<std::uint64_t> n_pairs;
    std::uint64_t alignment = 32; ///< of the data; `general.alignment` is a pair as any other
    std::vector<RawPair> pairs;
    std::vector<RawTensor> tensors;

    /// Replace the pair of this key, or append one.
    void set_raw(std::string_view key, std::uint32_t type, std::string value);
    template <class T>
    requires std::is_arithmetic_v<T>
    void set(std::string_view key, T value) { set_raw(key, type_number<T>(), raw(value)); }
    void set(std::string_view key, std::string_view text);
    void set(std::string_view key, const char* text) { set(key, std::string_view(text)); }
    template <class T>
    void set(std::string_view key, const std::vector<T>& elements) {
        std::string bytes;
        for (const auto& element : elements) {
            if constexpr (std::same_as<T, std::string>)
                bytes += raw_string(element);
            else
                bytes += raw(static_cast<T>(element));
        }
        set_raw(key, static_cast<std::uint32_t>(gguf::ValueType::array),
                raw_array(type_number<T>(), elements.size(), bytes));
    }
    void remove(std::string_view key);

    /// The tensor of this name, which exists.
    RawTensor& tensor(std::string_view name);

    /// Magic to tensor directory, without the padding that follows.
    [[nodiscard]] std::string header() const;
    /// The whole file.
    [[nodiscard]] std::string bytes() const;
};

} // namespace pillar::support
