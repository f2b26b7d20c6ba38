// Reads key-value pairs: thirteen value types, arrays of any of them. Counts are held against the
// bytes left before anything is allocated; arrays of arrays are passed over with a stack of their
// own, not by recursion.

#include "read_metadata.hpp"

#include "value_types.hpp"

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"

#include <array>
#include <cstring>
#include <fmt/core.h>
#include <type_traits>
#include <utility>

namespace pillar::gguf {

namespace {

/// Something harmless that files should not have: how often, and where first. One warning tells of
/// all of them, so that no file can flood the terminal.
struct Oddity {
    std::uint64_t count = 0;
    std::string first;

    void note(std::string_view key, std::uint64_t position) {
        if (count++ == 0) first = fmt::format("{} at byte {}", printable(key), position);
    }
};

/// Reads the value of one key after the other.
class ValueReader {
  public:
    explicit ValueReader(Cursor& cursor) : cursor_(cursor) {}

    Value read(std::string_view key, std::uint64_t pair_position);
    void report(std::vector<std::string>& warnings) const;

  private:
    struct ArrayHead {
        ValueType element;
        std::uint64_t count; ///< there is room for so many
    };

    ValueType read_type();
    bool read_boolean();
    ArrayHead read_array_head();
    Array read_array();
    void skip_arrays(std::uint64_t count);
    template <class T>
    std::vector<T> read_elements(std::uint64_t count);

    Cursor& cursor_;
    std::string_view key_;
    Oddity nested_arrays_;
    Oddity booleans_; ///< neither 0 nor 1
};

ValueType ValueReader::read_type() {
    const std::uint64_t start = cursor_.position();
    const auto number = cursor_.read<std::uint32_t>(key_);
    if (number > static_cast<std::uint32_t>(ValueType::float64))
        throw cursor_.error(key_, start, fmt::format("has unknown value type {}", number));
    return static_cast<ValueType>(number);
}

bool ValueReader::read_boolean() {
    const std::uint64_t start = cursor_.position();
    const auto number = cursor_.read<std::uint8_t>(key_);
    if (number > 1) booleans_.note(key_, start);
    return number != 0;
}

ValueReader::ArrayHead ValueReader::read_array_head() {
    const ValueType element = read_type();
    const std::uint64_t count_position = cursor_.position();
    const auto count = cursor_.read<std::uint64_t>(key_);
    cursor_.expect_room(count, min_bytes(element), key_, count_position);
    return {element, count};
}

// Each array takes at least 12 bytes, so the work is bounded by the file's size.
void ValueReader::skip_arrays(std::uint64_t count) {
    std::array<std::uint64_t, max_array_depth> left{count}; // arrays to come, by depth
    std::size_t depth = 1;
    while (depth > 0) {
        if (left[depth - 1] == 0) {
            --depth;
            continue;
        }
        --left[depth - 1];
        const std::uint64_t start = cursor_.position();
        const ArrayHead head = read_array_head();
        if (head.element == ValueType::array) {
            if (depth == max_array_depth)
                throw cursor_.error(
                    key_, start,
                    fmt::format("arrays lie more than {} deep in arrays", max_array_depth));
            left[depth++] = head.count;
        } else if (head.element == ValueType::string) {
            for (std::uint64_t i = 0; i < head.count; ++i) cursor_.text(max_string_bytes, key_);
        } else {
            cursor_.take(head.count * min_bytes(head.element), key_);
        }
    }
}

template <class T>
std::vector<T> ValueReader::read_elements(std::uint64_t count) {
    std::vector<T> elements;
    if constexpr (std::is_same_v<T, std::string>) {
        elements.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i)
            elements.emplace_back(cursor_.text(max_string_bytes, key_));
    } else if constexpr (std::is_same_v<T, bool>) {
        elements.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) elements.push_back(read_boolean());
    } else {
        const auto bytes = cursor_.take(count * sizeof(T), key_);
        elements.resize(count);
        if (count > 0) std::memcpy(elements.data(), bytes.data(), bytes.size());
    }
    return elements;
}

Array ValueReader::read_array() {
    const std::uint64_t start = cursor_.position();
    const auto [element, count] = read_array_head();
    Array array{.element = element, .values = {}};
    with_type(element, [&, n = count]<class T>(std::type_identity<T>) {
        if constexpr (std::is_same_v<T, Array>) {
            nested_arrays_.note(key_, start);
            skip_arrays(n);
            array.values = Nested{n};
        } else {
            array.values = read_elements<T>(n);
        }
    });
    return array;
}

Value ValueReader::read(std::string_view key, std::uint64_t pair_position) {
    key_ = key;
    Value value{.type = read_type(), .value = {}, .offset = pair_position};
    with_type(value.type, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_same_v<T, std::string>)
            value.value = std::string(cursor_.text(max_string_bytes, key_));
        else if constexpr (std::is_same_v<T, Array>)
            value.value = read_array();
        else if constexpr (std::is_same_v<T, bool>)
            value.value = read_boolean();
        else
            value.value = cursor_.read<T>(key_);
    });
    return value;
}

void ValueReader::report(std::vector<std::string>& warnings) const {
    if (nested_arrays_.count > 0)
        warnings.push_back(fmt::format("{} arrays of arrays are passed over, the first of {}",
                                       nested_arrays_.count, nested_arrays_.first));
    if (booleans_.count > 0)
        warnings.push_back(
            fmt::format("{} bool values are neither 0 nor 1 and count as true, the first of {}",
                        booleans_.count, booleans_.first));
}

} // namespace

void read_metadata(Cursor& cursor, std::uint64_t n_pairs, Metadata& metadata,
                   std::vector<std::string>& warnings) {
    ValueReader reader(cursor);
    for (std::uint64_t i = 0; i < n_pairs; ++i) {
        const std::uint64_t start = cursor.position();
        const std::string key(cursor.text(max_key_bytes, fmt::format("metadata key {}", i)));
        if (key.empty())
            throw cursor.error(fmt::format("metadata key {}", i), start, "the key is empty");
        if (!metadata.add(key, reader.read(key, start)))
            throw cursor.error(key, start, "this key stands in the file twice");
    }
    reader.report(warnings);
}

} // namespace pillar::gguf
