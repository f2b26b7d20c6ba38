// Reads key-value pairs: thirteen value types, arrays of any of them. Counts are held against the
// bytes left before anything is allocated; arrays of arrays are passed over with a stack of their
// own, not by recursion.

#include "read_metadata.hpp"

#include "pillar/gguf/file.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <type_traits>
#include <utility>

namespace pillar::gguf {

namespace {

/// Bytes of one value of a fixed-size type; 0 for strings and arrays.
std::uint64_t fixed_size(ValueType type) noexcept {
    switch (type) {
    case ValueType::uint8:
    case ValueType::int8:
    case ValueType::boolean:
        return 1;
    case ValueType::uint16:
    case ValueType::int16:
        return 2;
    case ValueType::uint32:
    case ValueType::int32:
    case ValueType::float32:
        return 4;
    case ValueType::uint64:
    case ValueType::int64:
    case ValueType::float64:
        return 8;
    case ValueType::string:
    case ValueType::array:
        break;
    }
    return 0;
}

/// Least bytes an array's element takes: a string its length, an array its type and count.
std::uint64_t least_size(ValueType type) noexcept {
    if (type == ValueType::string) return 8;
    if (type == ValueType::array) return 4 + 8;
    return fixed_size(type);
}

ValueType read_type(Cursor& cursor, std::string_view key) {
    const std::uint64_t start = cursor.position();
    const auto number = cursor.read<std::uint32_t>(key);
    if (number > static_cast<std::uint32_t>(ValueType::float64))
        throw cursor.error(key, start, fmt::format("has unknown value type {}", number));
    return static_cast<ValueType>(number);
}

bool to_boolean(std::byte held, const Cursor& cursor, std::string_view key,
                std::uint64_t position) {
    const auto number = std::to_integer<unsigned>(held);
    if (number > 1) throw cursor.error(key, position, fmt::format("is {}, not 0 or 1", number));
    return number == 1;
}

struct ArrayHead {
    ValueType element;
    std::uint64_t count;
};

ArrayHead read_array_head(Cursor& cursor, std::string_view key) {
    const ValueType element = read_type(cursor, key);
    const std::uint64_t count_position = cursor.position();
    const auto count = cursor.read<std::uint64_t>(key);
    cursor.expect_room(count, least_size(element), key, count_position);
    return {element, count};
}

/// Pass over `count` arrays. Each takes at least 12 bytes, so the work is bounded by the file's
/// size.
void skip_arrays(Cursor& cursor, std::uint64_t count, std::string_view key) {
    std::array<std::uint64_t, max_array_depth> left{count}; // arrays to come, by depth
    std::size_t depth = 1;
    while (depth > 0) {
        if (left[depth - 1] == 0) {
            --depth;
            continue;
        }
        --left[depth - 1];
        const std::uint64_t start = cursor.position();
        const ArrayHead head = read_array_head(cursor, key);
        if (head.element == ValueType::array) {
            if (depth == max_array_depth)
                throw cursor.error(
                    key, start,
                    fmt::format("arrays lie more than {} deep in arrays", max_array_depth));
            left[depth++] = head.count;
        } else if (head.element == ValueType::string) {
            for (std::uint64_t i = 0; i < head.count; ++i) cursor.text(max_string_bytes, key);
        } else {
            cursor.take(head.count * fixed_size(head.element), key); // room was checked
        }
    }
}

template <class T>
std::vector<T> read_elements(Cursor& cursor, std::uint64_t count, std::string_view key) {
    const std::uint64_t start = cursor.position();
    if constexpr (std::is_same_v<T, std::string>) {
        std::vector<std::string> elements;
        elements.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i)
            elements.emplace_back(cursor.text(max_string_bytes, key));
        return elements;
    } else if constexpr (std::is_same_v<T, bool>) {
        const auto bytes = cursor.take(count, key);
        std::vector<bool> elements(count);
        for (std::uint64_t i = 0; i < count; ++i)
            elements[i] = to_boolean(bytes[i], cursor, key, start + i);
        return elements;
    } else {
        const auto bytes = cursor.take(count * sizeof(T), key);
        std::vector<T> elements(count);
        if (count > 0) std::memcpy(elements.data(), bytes.data(), bytes.size());
        return elements;
    }
}

Array read_array(Cursor& cursor, std::string_view key) {
    const auto [element, count] = read_array_head(cursor, key);
    Array array{.element = element, .values = {}};
    const auto keep = [&]<class T>(std::type_identity<T>) {
        array.values = read_elements<T>(cursor, count, key);
    };
    switch (element) {
    case ValueType::uint8:
        keep(std::type_identity<std::uint8_t>{});
        break;
    case ValueType::int8:
        keep(std::type_identity<std::int8_t>{});
        break;
    case ValueType::uint16:
        keep(std::type_identity<std::uint16_t>{});
        break;
    case ValueType::int16:
        keep(std::type_identity<std::int16_t>{});
        break;
    case ValueType::uint32:
        keep(std::type_identity<std::uint32_t>{});
        break;
    case ValueType::int32:
        keep(std::type_identity<std::int32_t>{});
        break;
    case ValueType::float32:
        keep(std::type_identity<float>{});
        break;
    case ValueType::boolean:
        keep(std::type_identity<bool>{});
        break;
    case ValueType::string:
        keep(std::type_identity<std::string>{});
        break;
    case ValueType::uint64:
        keep(std::type_identity<std::uint64_t>{});
        break;
    case ValueType::int64:
        keep(std::type_identity<std::int64_t>{});
        break;
    case ValueType::float64:
        keep(std::type_identity<double>{});
        break;
    case ValueType::array:
        skip_arrays(cursor, count, key);
        array.values = Nested{count};
        break;
    }
    return array;
}

Value read_value(Cursor& cursor, std::string_view key, std::uint64_t pair_position) {
    Value value{.type = read_type(cursor, key), .value = {}, .offset = pair_position};
    const std::uint64_t start = cursor.position();
    switch (value.type) {
    case ValueType::uint8:
        value.value = cursor.read<std::uint8_t>(key);
        break;
    case ValueType::int8:
        value.value = cursor.read<std::int8_t>(key);
        break;
    case ValueType::uint16:
        value.value = cursor.read<std::uint16_t>(key);
        break;
    case ValueType::int16:
        value.value = cursor.read<std::int16_t>(key);
        break;
    case ValueType::uint32:
        value.value = cursor.read<std::uint32_t>(key);
        break;
    case ValueType::int32:
        value.value = cursor.read<std::int32_t>(key);
        break;
    case ValueType::float32:
        value.value = cursor.read<float>(key);
        break;
    case ValueType::boolean:
        value.value = to_boolean(cursor.read<std::byte>(key), cursor, key, start);
        break;
    case ValueType::string:
        value.value = std::string(cursor.text(max_string_bytes, key));
        break;
    case ValueType::array:
        value.value = read_array(cursor, key);
        break;
    case ValueType::uint64:
        value.value = cursor.read<std::uint64_t>(key);
        break;
    case ValueType::int64:
        value.value = cursor.read<std::int64_t>(key);
        break;
    case ValueType::float64:
        value.value = cursor.read<double>(key);
        break;
    }
    return value;
}

} // namespace

void read_metadata(Cursor& cursor, std::uint64_t n_pairs, Metadata& metadata,
                   std::vector<std::string>& warnings) {
    for (std::uint64_t i = 0; i < n_pairs; ++i) {
        const std::uint64_t start = cursor.position();
        const std::string key(cursor.text(max_key_bytes, fmt::format("metadata key {}", i)));
        if (key.empty())
            throw cursor.error(fmt::format("metadata key {}", i), start, "the key is empty");
        Value value = read_value(cursor, key, start);
        const auto* array = std::get_if<Array>(&value.value);
        if (array != nullptr && array->element == ValueType::array)
            warnings.push_back(fmt::format("{}: an array of arrays at byte {} is passed over",
                                           printable(key), start));
        if (!metadata.add(key, std::move(value)))
            throw cursor.error(key, start, "this key stands in the file twice");
    }
}

} // namespace pillar::gguf
