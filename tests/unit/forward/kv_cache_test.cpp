#include "cache/kv_cache.hpp"

#include <gtest/gtest.h>

namespace pillar::forward {
namespace {

KvCache::Shape shape(std::size_t n_pages) {
    return {.n_layers = 2,
            .n_kv_heads = 3,
            .head_dim = 8,
            .type = kernels::CacheType::f16,
            .n_pages = n_pages,
            .max_sequences = 2};
}

TEST(kv_cache, takes_a_page_every_256_positions) {
    KvCache cache(shape(3));
    EXPECT_TRUE(cache.reserve(0, 0));
    EXPECT_TRUE(cache.reserve(0, 255));
    EXPECT_EQ(cache.free_pages(), 2u);
    EXPECT_TRUE(cache.reserve(0, 256));
    EXPECT_EQ(cache.free_pages(), 1u);
}

TEST(kv_cache, refuses_when_the_pool_is_empty_and_serves_again_after_truncation) {
    KvCache cache(shape(2));
    EXPECT_TRUE(cache.reserve(0, 511));
    EXPECT_FALSE(cache.reserve(1, 0));
    cache.truncate(0, 256); // 256 positions still need their page
    EXPECT_EQ(cache.free_pages(), 1u);
    EXPECT_TRUE(cache.reserve(1, 0));
    cache.truncate(0, 0);
    EXPECT_EQ(cache.free_pages(), 1u);
}

TEST(kv_cache, gives_every_layer_head_and_page_memory_of_its_own) {
    KvCache cache(shape(2));
    ASSERT_TRUE(cache.reserve(0, 256));
    const std::size_t half = 8 * 256 * 2;
    std::vector<std::pair<const std::byte*, const std::byte*>> places;
    for (std::size_t page = 0; page < 2; ++page)
        for (std::size_t layer = 0; layer < 2; ++layer)
            for (std::size_t head = 0; head < 3; ++head) {
                const kernels::PageView view = cache.page(0, page, layer, head);
                EXPECT_EQ(view.keys, cache.keys(0, page, layer, head));
                EXPECT_EQ(view.values, cache.values(0, page, layer, head));
                for (const void* part : {view.keys, view.values}) {
                    const auto* begin = static_cast<const std::byte*>(part);
                    for (const auto& [first, last] : places)
                        EXPECT_TRUE(begin + half <= first || begin >= last);
                    places.emplace_back(begin, begin + half);
                }
            }
    EXPECT_EQ(KvCache::size_bytes(shape(2)), places.size() * half);
}

TEST(kv_cache, needs_memory_by_its_type) {
    KvCache::Shape of_80 = shape(2); // 2 pages, 2 layers, 3 heads, keys and values
    of_80.head_dim = 80;
    EXPECT_EQ(KvCache::size_bytes(of_80), 24u * 256 * 80 * 2);
    of_80.type = kernels::CacheType::f32;
    EXPECT_EQ(KvCache::size_bytes(of_80), 24u * 256 * 80 * 4);
    of_80.type = kernels::CacheType::q8_0; // 80 int8 and 3 f16 scales a position
    EXPECT_EQ(KvCache::size_bytes(of_80), 24u * 256 * (80 + 6));
}

} // namespace
} // namespace pillar::forward
