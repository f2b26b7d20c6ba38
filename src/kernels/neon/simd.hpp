#pragma once
// Names for the few NEON operations that all kernels here share. Everything in this folder's
// headers has internal linkage: the dotprod family compiles them again for its own processor, and
// none of that code may be what the linker keeps for the rest of the program. For the same reason
// they use no function templates or inline functions of the standard library.

#include <arm_neon.h>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pillar::kernels::neon {
namespace {

using Bytes = int8x16_t;
using Ints = int32x4_t;
using Floats = float32x4_t;

inline constexpr std::size_t lanes = 4; ///< f32 or int32 a vector

constexpr std::size_t smaller(std::size_t a, std::size_t b) noexcept {
    return a < b ? a : b;
}

inline Bytes load_bytes(const void* p) noexcept {
    return vld1q_s8(static_cast<const std::int8_t*>(p));
}
/// Four f16 as f32, exact.
inline Floats load_halves(const void* p) noexcept {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(static_cast<const std::uint16_t*>(p))));
}

/// f(0), …, f(n − 1): a loop that no compiler keeps as one. An array indexed by it alone stays in
/// registers; g++ keeps an array in memory that any loop indexes.
template <std::size_t n, class Function>
[[gnu::always_inline]] inline void unrolled(Function f) noexcept {
    static_assert(n <= 8);
    if constexpr (n > 0) f(0);
    if constexpr (n > 1) f(1);
    if constexpr (n > 2) f(2);
    if constexpr (n > 3) f(3);
    if constexpr (n > 4) f(4);
    if constexpr (n > 5) f(5);
    if constexpr (n > 6) f(6);
    if constexpr (n > 7) f(7);
}
/// Before a loop over blocks: clang would unroll it until its vectors no longer fit the registers.
#ifdef __clang__
#define PILLAR_NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define PILLAR_NO_UNROLL
#endif

/// A factor for all lanes. Kept apart from its load, it is multiplied with by element; clang would
/// rather copy it to all lanes as it loads, which takes a vector unit.
inline float load_scalar(const float* p) noexcept {
    float v = *p;
    asm("" : "+w"(v));
    return v;
}

/// The first n of four floats; the other lanes are +0 and their memory is not touched.
inline Floats load_first(const float* p, std::size_t n) noexcept {
    if (n >= lanes) return vld1q_f32(p);
    float part[lanes] = {};
    for (std::size_t i = 0; i < n; ++i) part[i] = p[i];
    return vld1q_f32(part);
}
inline void store_first(float* p, std::size_t n, Floats v) noexcept {
    if (n >= lanes) return vst1q_f32(p, v);
    float part[lanes];
    vst1q_f32(part, v);
    for (std::size_t i = 0; i < n; ++i) p[i] = part[i];
}

/// The compiler computes v here and not later. g++ 12, left alone, mixes the columns of a block and
/// runs out of registers; clang does better on its own.
inline void in_order([[maybe_unused]] Floats& v) noexcept {
#ifndef __clang__
    asm volatile("" : "+w"(v));
#endif
}

/// Addresses are counted from p on. clang, left alone, counts them from the prefetched line, which
/// is too far for a load's offset.
template <class T>
inline void count_from(const T*& p) noexcept {
    asm("" : "+r"(p));
}

/// Ask for one cache line 1 KB after p, as far ahead as the DRAM of a Pi 4 takes to answer: 150 ns
/// at 72 bytes in 20 cycles. One a block; where a block has two lines the processor's own
/// prefetcher brings the other. Past the end of memory it does nothing.
inline void prefetch_ahead(const std::byte* p) noexcept {
    __builtin_prefetch(p + 1024, 0, 3);
}

} // namespace
} // namespace pillar::kernels::neon
