#include "encoders/family.hpp"

#ifndef PILLAR_HAVE_AVX2
#define PILLAR_HAVE_AVX2 0
#endif

namespace pillar::quantize {

const Family& best_family() noexcept {
#if PILLAR_HAVE_AVX2
    // the source is compiled with all three
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("f16c"))
        return avx2_family;
#endif
    return baseline_family;
}

} // namespace pillar::quantize
