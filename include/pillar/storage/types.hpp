#pragma once
// What columns hold and what attributes may be.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace pillar::storage {

/// An attribute: scalar variable-length UTF-8 text, 64-bit integer or double.
using Value = std::variant<std::string, std::int64_t, double>;

struct NamedValue {
    std::string name;
    Value value;
};

/// Element types of columns.
enum class Type : std::uint8_t { u8, u32, u64, i32, i64, f32, f64 };

[[nodiscard]] constexpr std::size_t size_of(Type type) noexcept {
    switch (type) {
    case Type::u8:
        return 1;
    case Type::u32:
    case Type::i32:
    case Type::f32:
        return 4;
    case Type::u64:
    case Type::i64:
    case Type::f64:
        break;
    }
    return 8;
}

template <class T>
[[nodiscard]] constexpr Type type_of() noexcept {
    if constexpr (std::is_same_v<T, std::uint8_t>) {
        return Type::u8;
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
        return Type::u32;
    } else if constexpr (std::is_same_v<T, std::uint64_t>) {
        return Type::u64;
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
        return Type::i32;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
        return Type::i64;
    } else if constexpr (std::is_same_v<T, float>) {
        return Type::f32;
    } else {
        static_assert(std::is_same_v<T, double>, "not a column type");
        return Type::f64;
    }
}

/// What a reader is told about a column.
struct Description {
    std::string units{};     ///< "s", "byte", "Hz", "celsius"; empty: a pure number
    std::string long_name{}; ///< one phrase
    /// Enumerations (u8): value i is called meanings[i], words without blanks.
    std::vector<std::string> meanings{};
    bool compress = true; ///< false for what would not shrink
};

/// `text` as HDF5 and h5py can hold it: bytes that are not UTF-8, and NUL, become U+FFFD.
[[nodiscard]] std::string stored_text(std::string_view text);

} // namespace pillar::storage
