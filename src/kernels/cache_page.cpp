// Names and sizes of the KV cache's types.

#include "pillar/core/sizes.hpp"
#include "pillar/kernels/family.hpp"

namespace pillar::kernels {

std::string_view name_of(CacheType type) noexcept {
    switch (type) {
    case CacheType::f32:
        return "f32";
    case CacheType::f16:
        return "f16";
    case CacheType::q8_0:
        return "q8_0";
    case CacheType::q4_0:
        return "q4_0";
    }
    __builtin_unreachable();
}

std::string name_of(CacheTypes types) {
    const std::string keys(name_of(types.keys));
    return types.keys == types.values ? keys : keys + " and " + std::string(name_of(types.values));
}

std::size_t page_bytes(CacheType type, std::size_t head_dim) noexcept {
    constexpr std::size_t scale_bytes = 2;
    switch (type) {
    case CacheType::f32:
        return page_positions * head_dim * sizeof(float);
    case CacheType::f16:
        return page_positions * head_dim * sizeof(std::uint16_t);
    case CacheType::q8_0:
        return page_positions * (head_dim + ceil_div(head_dim, cache_block) * scale_bytes);
    case CacheType::q4_0:
        return page_positions * ceil_div(head_dim, cache_block) * (cache_block / 2 + scale_bytes);
    }
    __builtin_unreachable();
}

std::size_t page_bytes(CacheTypes types, std::size_t head_dim) noexcept {
    return page_bytes(types.keys, head_dim) + page_bytes(types.values, head_dim);
}

} // namespace pillar::kernels
