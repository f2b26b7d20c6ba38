// Which kernel families this binary holds and which of them this CPU can run.

#include "families.hpp"

namespace pillar::kernels {

namespace {

constexpr std::size_t integer_index = 1;

// Ranks agree on a family by its index here, so the order is part of their protocol.
constexpr const Family* all_families[] = {
    &reference_family, &integer_family,
#if PILLAR_HAVE_AVX2
    &avx2_family,
#endif
#if PILLAR_HAVE_AVXVNNI
    &avxvnni_family,
#endif
#if PILLAR_HAVE_AVX512
    &avx512_family,
#endif
#if PILLAR_HAVE_NEON
    &neon_family,
#endif
#if PILLAR_HAVE_DOTPROD
    &dotprod_family,
#endif
};

} // namespace

std::span<const Family* const> families() noexcept {
    return all_families;
}

const Family* find_family(std::string_view name) noexcept {
    for (const Family* family : all_families)
        if (family->name == name) return family;
    return nullptr;
}

std::size_t best_family() noexcept {
    std::size_t best = std::size(all_families) - 1;
    while (best > integer_index && !all_families[best]->supported()) --best;
    return best;
}

} // namespace pillar::kernels
