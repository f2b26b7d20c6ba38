#pragma once
// The vectors that this file is compiled for. The headers of this folder are shared by the families
// of x86: each is compiled in its own folder, with its own flags, over its own simd.hpp. A lane is
// a row of the product; there are 8 lanes with AVX2 and 16 with AVX-512. Everything here has
// internal linkage, so that no family's code becomes another's.

#ifdef __AVX512VNNI__
#include "avx512/simd.hpp"
#else
#include "avx2/simd.hpp"
#endif

#include "format.hpp"

#include <utility>

namespace pillar::kernels::x86 {
namespace {

#ifdef __AVX512VNNI__
using namespace avx512;
#else
using namespace avx2;
#endif

inline constexpr std::size_t group_rows = lanes; ///< rows a group of every block format but Q1_0
inline constexpr std::size_t vector_bytes = 4 * lanes; ///< four bytes a row
inline constexpr std::size_t half_bytes = 2 * lanes;   ///< an f16 a row

/// Columns whose integer sums of tile_groups groups are in registers together, where a panel's are
/// not. To broadcast an activation takes a unit that could add, to read a weight does not: so there
/// are more groups than columns.
inline constexpr std::size_t tile_columns = 2;

/// step(0), step(1), …, step(n − 1), the number known to the compiler.
template <class Step, std::size_t... i>
[[gnu::always_inline]] inline void in_steps(std::index_sequence<i...>, const Step& step) noexcept {
    (step(std::integral_constant<std::size_t, i>{}), ...);
}
template <std::size_t n, class Step>
[[gnu::always_inline]] inline void unrolled(const Step& step) noexcept {
    in_steps(std::make_index_sequence<n>{}, step);
}

/// The compiler computes v here and not later: the steps of a dot product keep the order they are
/// written in, vector after vector. Left alone, g++ 12 begins with all loads and ends with a tree
/// of additions, which leaves the multipliers idle for a tenth of the time.
inline void in_order(Ints& v) noexcept {
    asm volatile("" : "+v"(v));
}

/// The compiler must read v from memory wherever it is used, rather than spread it over registers
/// that sums could have.
template <class T>
[[gnu::always_inline]] inline void keep_in_memory(const T& v) noexcept {
    asm volatile("" : : "r"(&v) : "memory");
}

inline constexpr std::size_t prefetch_distance = 6144;
/// Ask for the cache lines of `bytes` bytes that come so far after p: far enough that DRAM answers
/// in time, near enough that the first level still holds them. Past the end of memory it does
/// nothing. (Inlined and in steps, since g++ 12 removes functions and loops of nothing but
/// prefetches as being without effect.)
template <std::size_t bytes>
[[gnu::always_inline]] inline void prefetch_ahead(const std::byte* p) noexcept {
    unrolled<(bytes + 63) / 64>([&](std::size_t i) __attribute__((always_inline)) {
        _mm_prefetch(reinterpret_cast<const char*>(p) + prefetch_distance + 64 * i, _MM_HINT_T0);
    });
}

inline constexpr std::size_t far_prefetch_distance = 8192;
/// The same into the second level, where a kernel's tables need the first one for themselves.
template <std::size_t bytes>
[[gnu::always_inline]] inline void prefetch_far(const std::byte* p) noexcept {
    unrolled<(bytes + 63) / 64>([&](std::size_t i) __attribute__((always_inline)) {
        _mm_prefetch(reinterpret_cast<const char*>(p) + far_prefetch_distance + 64 * i,
                     _MM_HINT_T1);
    });
}

} // namespace
} // namespace pillar::kernels::x86
