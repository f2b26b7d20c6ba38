#pragma once
// From a value type's number in the file to the C++ type that holds it.

#include "pillar/gguf/value.hpp"

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

namespace pillar::gguf {

/// Call `action(std::type_identity<T>{})` with the type that holds a `type`: a number, bool,
/// std::string or Array.
template <class Action>
decltype(auto) with_type(ValueType type, Action&& action) {
    // clang-format off
    switch (type) {
    case ValueType::uint8: return action(std::type_identity<std::uint8_t>{});
    case ValueType::int8: return action(std::type_identity<std::int8_t>{});
    case ValueType::uint16: return action(std::type_identity<std::uint16_t>{});
    case ValueType::int16: return action(std::type_identity<std::int16_t>{});
    case ValueType::uint32: return action(std::type_identity<std::uint32_t>{});
    case ValueType::int32: return action(std::type_identity<std::int32_t>{});
    case ValueType::float32: return action(std::type_identity<float>{});
    case ValueType::boolean: return action(std::type_identity<bool>{});
    case ValueType::string: return action(std::type_identity<std::string>{});
    case ValueType::uint64: return action(std::type_identity<std::uint64_t>{});
    case ValueType::int64: return action(std::type_identity<std::int64_t>{});
    case ValueType::float64: return action(std::type_identity<double>{});
    case ValueType::array: break;
    }
    // clang-format on
    return action(std::type_identity<Array>{});
}

static_assert(sizeof(bool) == 1);

/// Least bytes that a value of this type takes as an array's element: a number itself, a string its
/// length, an array its element type and count.
inline std::uint64_t min_bytes(ValueType type) {
    return with_type(type, []<class T>(std::type_identity<T>) -> std::uint64_t {
        if constexpr (std::is_same_v<T, std::string>)
            return 8;
        else if constexpr (std::is_same_v<T, Array>)
            return 4 + 8;
        else
            return sizeof(T);
    });
}

} // namespace pillar::gguf
