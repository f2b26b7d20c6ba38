#include "pillar/cache/kv_cache.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

namespace pillar::cache {
namespace {

KvCache::Shape shape(std::size_t n_pages) {
    return {.n_layers = 2,
            .n_kv_heads = 3,
            .head_dim = 8,
            .types = kernels::CacheType::f16,
            .n_pages = n_pages,
            .max_sequences = 2};
}

TEST(kv_cache, takes_a_page_every_256_positions) {
    KvCache cache(shape(3));
    EXPECT_TRUE(cache.tables().reserve(0, 0));
    EXPECT_TRUE(cache.tables().reserve(0, 255));
    EXPECT_EQ(cache.tables().free_pages(), 2u);
    EXPECT_TRUE(cache.tables().reserve(0, 256));
    EXPECT_EQ(cache.tables().free_pages(), 1u);
}

TEST(kv_cache, refuses_when_the_pool_is_empty_and_serves_again_after_truncation) {
    KvCache cache(shape(2));
    EXPECT_TRUE(cache.tables().reserve(0, 511));
    EXPECT_FALSE(cache.tables().reserve(1, 0));
    cache.tables().truncate(0, 256); // 256 positions still need their page
    EXPECT_EQ(cache.tables().free_pages(), 1u);
    EXPECT_TRUE(cache.tables().reserve(1, 0));
    cache.tables().truncate(0, 0);
    EXPECT_EQ(cache.tables().free_pages(), 1u);
}

KvCache::Shape window_shape(std::size_t window, std::size_t max_rows, std::size_t n_context) {
    KvCache::Shape of_window = shape(KvCache::pages_a_sequence(n_context, window, max_rows));
    of_window.max_sequences = 1;
    of_window.n_context = n_context;
    of_window.window = window;
    return of_window;
}

TEST(kv_cache, of_a_window_holds_what_a_chunk_sees_wherever_it_begins) {
    for (const std::size_t window : {1u, 2u, 100u, 256u, 257u, 512u, 700u})
        for (const std::size_t chunk : {1u, 7u, 256u, 300u}) {
            constexpr std::size_t n_context = 8192;
            const KvCache::Shape of_window = window_shape(window, chunk, n_context);
            EXPECT_LE(of_window.n_pages, (window + chunk) / 256 + 2);
            for (std::size_t first_chunk = 1; first_chunk <= chunk; ++first_chunk) {
                KvCache cache(of_window);
                for (std::size_t begin = 0, n = first_chunk; begin + n < 3000; begin += n) {
                    if (begin > 0) n = chunk;
                    for (std::size_t p = begin; p < begin + n; ++p)
                        ASSERT_TRUE(cache.tables().reserve(0, static_cast<std::int32_t>(p)));
                    for (std::size_t p = begin; p < begin + n; ++p)
                        cache.tables().forget(0, static_cast<std::int32_t>(p));
                }
                if (chunk > 7) first_chunk += 40;
            }
        }
    EXPECT_EQ(KvCache::pages_a_sequence(1000, 0, 256), 4u);
    EXPECT_EQ(KvCache::pages_a_sequence(1000, 512, 256), 4u); // no more than the context's
    EXPECT_EQ(KvCache::pages_a_sequence(32768, 512, 1), 3u);  // 512 positions touch three pages
}

TEST(kv_cache, of_a_window_forgets_pages_that_no_later_row_sees) {
    KvCache cache(window_shape(300, 256, 4096));
    const std::size_t n_pages = cache.tables().free_pages();
    const auto fill = [&](std::int32_t end) {
        for (std::int32_t p = 0; p < end; ++p) {
            ASSERT_TRUE(cache.tables().reserve(0, p));
            cache.tables().forget(0, p);
        }
    };
    fill(555); // the next row, at 555, sees 256 to 555
    EXPECT_EQ(cache.tables().free_pages(), n_pages - 2);
    cache.tables().truncate(0, 0);
    EXPECT_EQ(cache.tables().free_pages(), n_pages);
    fill(554);
    EXPECT_EQ(cache.tables().free_pages(), n_pages - 3);
}

TEST(kv_cache, of_a_window_keeps_what_going_back_needs) {
    KvCache::Shape shape = window_shape(300, 256 + 16, 4096);
    shape.max_back = 16;
    KvCache cache(shape);
    for (std::int32_t end = 1; end < 3000; ++end) {
        ASSERT_TRUE(cache.tables().reserve(0, end - 1));
        cache.tables().forget(0, end - 1);
        for (std::int32_t back = 0; back <= std::min(16, end); ++back)
            ASSERT_TRUE(cache.tables().keeps(0, end - back)) << end << " " << back;
    }
    // Rows of a chunk come at once, before anything is forgotten.
    ASSERT_TRUE(cache.tables().reserve(0, 2998 + 256));
}

TEST(kv_cache, of_a_window_can_be_cut_back_as_far_as_the_next_row_sees) {
    KvCache cache(window_shape(300, 256, 4096));
    for (std::int32_t p = 0; p < 1000; ++p) {
        ASSERT_TRUE(cache.tables().reserve(0, p));
        cache.tables().forget(0, p);
    }
    // Position 1000 sees 701 and on; page 2 begins with 512, which position 811 sees first.
    EXPECT_TRUE(cache.tables().keeps(0, 1000));
    EXPECT_TRUE(cache.tables().keeps(0, 811));
    EXPECT_FALSE(cache.tables().keeps(0, 810));
    EXPECT_FALSE(cache.tables().keeps(0, 1));
    EXPECT_TRUE(cache.tables().keeps(0, 0));
    const std::size_t n_free = cache.tables().free_pages();
    const kernels::PageView page = cache.page(0, 2, 1, 1);
    cache.tables().truncate(0, 811);
    EXPECT_EQ(cache.tables().free_pages(), n_free); // 811 is on the last page, too
    cache.tables().truncate(0, 811);
    EXPECT_EQ(cache.page(0, 2, 1, 1).keys, page.keys);
    EXPECT_TRUE(cache.tables().reserve(0, 900));
    cache.tables().truncate(0, 0);
    EXPECT_TRUE(cache.tables().keeps(0, 0));
    ASSERT_TRUE(cache.tables().reserve(0, 0));
    EXPECT_FALSE(cache.tables().keeps(0, 0) &&
                 cache.tables().free_pages() == window_shape(300, 256, 4096).n_pages);
}

TEST(kv_cache, of_all_positions_keeps_them) {
    KvCache cache(shape(3));
    ASSERT_TRUE(cache.tables().reserve(0, 700));
    cache.tables().forget(0, 700);
    EXPECT_EQ(cache.tables().free_pages(), 0u);
    EXPECT_TRUE(cache.tables().keeps(0, 1));
}

TEST(kv_cache, gives_every_layer_head_and_page_memory_of_its_own) {
    KvCache cache(shape(2));
    ASSERT_TRUE(cache.tables().reserve(0, 256));
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
    of_80.types = kernels::CacheType::f32;
    EXPECT_EQ(KvCache::size_bytes(of_80), 24u * 256 * 80 * 4);
    of_80.types = kernels::CacheType::q8_0; // 80 int8 and 3 f16 scales a position
    EXPECT_EQ(KvCache::size_bytes(of_80), 24u * 256 * (80 + 6));
}

/// A page of keys has positions side by side, one of values dimensions; scales follow both.
TEST(kv_cache, rows_are_what_the_kernels_have_stored) {
    constexpr std::size_t n_positions = 300, dim = 40; // two pages; a block of 32 and one of 8
    const kernels::Family& family = *kernels::families().front();
    for (const kernels::CacheType type : {kernels::CacheType::f32, kernels::CacheType::f16,
                                          kernels::CacheType::q8_0, kernels::CacheType::q4_0}) {
        KvCache::Shape of_type = shape(4);
        of_type.head_dim = dim;
        of_type.types = type;
        KvCache cache(of_type), other(of_type);
        ASSERT_TRUE(cache.tables().reserve(1, n_positions - 1));
        ASSERT_TRUE(other.tables().reserve(0, 0)); // so that its pages have other numbers
        ASSERT_TRUE(other.tables().reserve(1, n_positions - 1));
        std::vector<float> vector(dim);
        for (std::size_t p = 0; p < n_positions; ++p) {
            for (std::size_t d = 0; d < dim; ++d)
                vector[d] = static_cast<float>(static_cast<int>(p * 7 + d * 3) % 101 - 50);
            family.store_key(vector.data(), cache.keys(1, p / 256, 1, 2), type, dim, p % 256, 0,
                             dim);
            for (float& x : vector) x = -2 * x;
            family.store_value(vector.data(), cache.values(1, p / 256, 1, 2), type, dim, p % 256, 0,
                               dim);
        }
        const std::size_t row_bytes = KvCache::row_bytes(type, dim);
        std::vector<std::byte> rows(n_positions * row_bytes), again(rows.size());
        cache.read_rows(1, n_positions, 1, 2, rows);
        other.write_rows(1, n_positions, 1, 2, rows);
        other.read_rows(1, n_positions, 1, 2, again);
        EXPECT_EQ(rows, again);
        for (std::size_t p = 0; p < n_positions; p += 37)
            EXPECT_EQ(std::memcmp(other.keys(1, p / 256, 1, 2), cache.keys(1, p / 256, 1, 2),
                                  p < 256 ? kernels::page_bytes(type, dim) : 1),
                      0);
        if (type != kernels::CacheType::f32) continue;
        for (std::size_t p = 0; p < n_positions; ++p)
            for (std::size_t d = 0; d < dim; ++d) {
                float key = 0, value = 0;
                std::memcpy(&key, rows.data() + p * row_bytes + d * 4, 4);
                std::memcpy(&value, rows.data() + p * row_bytes + (dim + d) * 4, 4);
                ASSERT_EQ(key, static_cast<float>(static_cast<int>(p * 7 + d * 3) % 101 - 50));
                ASSERT_EQ(value, -2 * key);
            }
    }
}

} // namespace
} // namespace pillar::cache
