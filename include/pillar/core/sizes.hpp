#pragma once
// Sizes: half-open ranges of rows, columns, heads and whatever else is divided, and arithmetic on
// what comes from a file. Every product and sum of such values goes through
// here, so that no length can wrap around and pass a later check (the fault behind most GGUF parser
// vulnerabilities).

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pillar {

/// Empty ranges are [b, b).
struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
    [[nodiscard]] bool empty() const noexcept { return begin == end; }
    friend bool operator==(const Range&, const Range&) = default;
};

/// a + b, or nothing when the exact result does not fit.
template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, T b) noexcept {
    T result{};
    if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
    return result;
}

/// a · b, or nothing when the exact result does not fit.
template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_mul(T a, T b) noexcept {
    T result{};
    if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
    return result;
}

/// Smallest multiple of `unit` that is at least `value`, or nothing when it does not fit. `unit` >
/// 0.
template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_round_up(T value, T unit) noexcept {
    const T rest = value % unit;
    return rest == 0 ? std::optional<T>(value) : checked_add<T>(value, unit - rest);
}

/// ⌈a / b⌉ without overflow. b > 0.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T ceil_div(T a, T b) noexcept {
    return a / b + (a % b != 0 ? 1 : 0);
}

} // namespace pillar
