#pragma once
// A comment in the assembly by which jobs/a72_cycles.sh finds a loop: `pillar-loop FORMAT COLUMNS`,
// FORMAT the number of the type in GGUF. Nothing in the program.

#include "pillar/quant/type.hpp"

#include <cstddef>

namespace pillar::kernels::neon {
namespace {

/// clang unrolls these loops until their vectors no longer fit the registers; g++ keeps them.
#ifdef __clang__
#define PILLAR_NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define PILLAR_NO_UNROLL
#endif

template <quant::Type type, std::size_t columns>
inline void mark_loop() noexcept {
#if PILLAR_MARK_LOOPS
    asm volatile("// pillar-loop %c0 %c1" : : "i"(static_cast<int>(type)), "i"(columns));
#endif
}

} // namespace
} // namespace pillar::kernels::neon
