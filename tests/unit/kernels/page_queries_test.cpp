// Several queries over one page at once give each the bits that it has alone, whatever its
// neighbours see; and what q8_0 and q4_0 keep of keys and values.

#include "all_families.hpp"
#include "bits.hpp"
#include "support/kernels/attention.hpp"
#include "support/kernels/random_rows.hpp"

#include "pillar/core/half.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace pillar::kernels {
namespace {

struct Page {
    Page(const Family& family, CacheType cache_type, std::size_t dim)
        : type(cache_type), head_dim(dim), keys(page_bytes(type, dim)), values(keys.size()) {
        support::Random random(dim + 5);
        std::vector<float> key(dim), value(dim);
        for (std::size_t j = 0; j < page_positions; ++j) {
            for (float& v : key) v = 2.0f * random.unit();
            for (float& v : value) v = random.unit();
            store(family, j, key, value);
        }
    }
    void store(const Family& family, std::size_t j, const std::vector<float>& key,
               const std::vector<float>& value) {
        support::store_kv(family, key.data(), value.data(), keys.data(), values.data(), type,
                          head_dim, j);
    }
    [[nodiscard]] PageView view() const { return {keys.data(), values.data()}; }

    CacheType type;
    std::size_t head_dim;
    std::vector<std::byte> keys, values;
};

std::vector<float> random_queries(std::size_t n_floats) {
    support::Random random(n_floats);
    std::vector<float> queries(n_floats);
    for (float& v : queries) v = 3.0f * random.unit();
    return queries;
}

/// m, l and o of each query: n_visible.size() × (2 + head_dim).
std::vector<float> attend_together(const Family& family, const Page& page,
                                   const std::vector<float>& queries,
                                   const std::vector<std::size_t>& n_visible) {
    const std::size_t n = n_visible.size();
    std::vector<float> o(n * page.head_dim, 7.0f);
    std::vector<float> scores(queries_at_once * page_positions);
    std::vector<PageQuery> all(n);
    for (std::size_t i = 0; i < n; ++i)
        all[i] = {
            queries.data() + i * page.head_dim, 0, n_visible[i], {0, 0, &o[i * page.head_dim]}};
    family.attend_page(all.data(), n, page.view(), page.type, page.head_dim, {0.2f}, scores.data());
    std::vector<float> result;
    for (const PageQuery& query : all) {
        result.insert(result.end(), {query.part.m, query.part.l});
        result.insert(result.end(), query.part.o, query.part.o + page.head_dim);
    }
    return result;
}

/// The same from the plain family, one query at a time.
std::vector<float> attend_alone(const Page& page, const std::vector<float>& queries,
                                const std::vector<std::size_t>& n_visible) {
    std::vector<float> result, o(page.head_dim);
    for (std::size_t i = 0; i < n_visible.size(); ++i) {
        const PartialAttention part = support::attend_page(
            *find_family("integer"), queries.data() + i * page.head_dim, page.view(), page.type,
            page.head_dim, n_visible[i], 0.2f, o.data());
        result.insert(result.end(), {part.m, part.l});
        result.insert(result.end(), o.begin(), o.end());
    }
    return result;
}

/// Queries that see parts [begin, end) of the page, together and each alone with the plain family:
/// the same bits.
void expect_same_bits(const Family& family, const Page& page, ScoreRule rule,
                      const std::vector<std::pair<std::size_t, std::size_t>>& parts) {
    const std::size_t n = parts.size(), width = page.head_dim;
    const std::vector<float> queries = random_queries(n * width);
    std::vector<float> together(n * width), alone(n * width);
    std::vector<float> scores(queries_at_once * page_positions);
    std::vector<PageQuery> all(n);
    for (std::size_t i = 0; i < n; ++i)
        all[i] = {queries.data() + i * width,
                  parts[i].first,
                  parts[i].second,
                  {0, 0, &together[i * width]}};
    family.attend_page(all.data(), n, page.view(), page.type, width, rule, scores.data());
    for (std::size_t i = 0; i < n; ++i) {
        PageQuery one = {
            queries.data() + i * width, parts[i].first, parts[i].second, {0, 0, &alone[i * width]}};
        find_family("integer")->attend_page(&one, 1, page.view(), page.type, width, rule,
                                            scores.data());
        EXPECT_EQ(all[i].part.m, one.part.m) << i;
        EXPECT_EQ(all[i].part.l, one.part.l) << i;
    }
    EXPECT_TRUE(same_bits(together, alone));
}

using PageQueries = EachFamily;

TEST_P(PageQueries, have_their_own_bits_where_they_see_a_window) {
    for (const CacheType type : support::cache_types)
        for (const std::size_t head_dim : {24u, 80u}) {
            const Page page(family_, type, head_dim);
            for (const ScoreRule rule : {ScoreRule{0.2f}, ScoreRule{0.2f, 1.5f}}) {
                for (const std::size_t window : {1u, 5u, 16u, 17u, 100u})
                    for (const std::size_t first : {0u, 3u, 15u, 16u, 31u, 140u}) {
                        std::vector<std::pair<std::size_t, std::size_t>> parts;
                        for (std::size_t row = 0; row < 9; ++row)
                            parts.emplace_back(first + row, first + row + window);
                        expect_same_bits(family_, page, rule, parts);
                    }
                // one that sees the end of the window before, one that has just begun
                expect_same_bits(family_, page, rule,
                                 {{250, 256}, {0, 3}, {255, 256}, {0, 256}, {17, 18}, {9, 200}});
            }
        }
}

TEST_P(PageQueries, sum_the_weights_of_what_they_see_alone) {
    const Page page(family_, CacheType::f32, 24);
    const std::vector<float> query = random_queries(24);
    const ScoreRule rule{0.5f, 2.0f};
    std::vector<float> o(24), scores(queries_at_once * page_positions);
    PageQuery part = {query.data(), 100, 131, {0, 0, o.data()}};
    family_.attend_page(&part, 1, page.view(), page.type, 24, rule, scores.data());
    std::vector<double> exact(24), weights;
    double l = 0, m = -1e9;
    for (std::size_t j = 100; j < 131; ++j) {
        double s = 0;
        for (std::size_t d = 0; d < 24; ++d)
            s += static_cast<double>(query[d]) *
                 support::read_key(page.view().keys, page.type, 24, j, d);
        weights.push_back(2.0 * std::tanh(s * 0.5 / 2.0));
        m = std::max(m, weights.back());
    }
    for (std::size_t j = 100; j < 131; ++j) {
        const double e = std::exp(weights[j - 100] - m);
        l += e;
        for (std::size_t d = 0; d < 24; ++d)
            exact[d] += e * support::read_value(page.view().values, page.type, 24, j, d);
    }
    EXPECT_NEAR(part.part.m, m, 1e-6);
    EXPECT_NEAR(part.part.l, l, 1e-5);
    EXPECT_LE(nmse(o, exact), 1e-11);
}

TEST_P(PageQueries, have_their_own_bits_in_every_group_of_heads) {
    for (const CacheType type : support::cache_types)
        for (const std::size_t head_dim : {1u, 24u, 33u, 64u, 80u, 128u}) {
            const Page page(family_, type, head_dim);
            for (std::size_t n_heads = 1; n_heads <= 17; ++n_heads)
                for (const std::size_t n : {1u, 8u, 31u, 64u, 255u, 256u}) {
                    const std::vector<std::size_t> n_visible(n_heads, n);
                    const std::vector<float> queries = random_queries(n_heads * head_dim);
                    EXPECT_TRUE(same_bits(attend_together(family_, page, queries, n_visible),
                                          attend_alone(page, queries, n_visible)))
                        << name_of(type) << ", " << n_heads << " heads of " << head_dim << ", " << n
                        << " positions";
                }
        }
}

TEST_P(PageQueries, have_their_own_bits_where_the_rows_of_a_chunk_see_more_and_more) {
    for (const CacheType type : support::cache_types)
        for (const std::size_t head_dim : {24u, 80u}) {
            const Page page(family_, type, head_dim);
            for (const std::size_t n_heads : {1u, 3u, 4u, 7u})
                for (const auto& [first, n_rows] :
                     {std::pair{1u, 256u}, {250u, 6u}, {13u, 5u}, {31u, 3u}}) {
                    std::vector<std::size_t> n_visible;
                    for (std::size_t row = 0; row < n_rows; ++row)
                        n_visible.insert(n_visible.end(), n_heads, first + row);
                    n_visible.push_back(page_positions); // a row of the pages that follow
                    const std::vector<float> queries = random_queries(n_visible.size() * head_dim);
                    EXPECT_TRUE(same_bits(attend_together(family_, page, queries, n_visible),
                                          attend_alone(page, queries, n_visible)))
                        << name_of(type) << ", " << n_heads << " heads of " << head_dim << ", rows "
                        << first << " to " << first + n_rows;
                }
        }
}

TEST_P(PageQueries, do_not_look_at_what_only_their_neighbours_see) {
    Page page(family_, CacheType::f32, 24);
    const std::vector<std::size_t> n_visible{40, 41, 42, 256, 40};
    const std::vector<float> queries = random_queries(n_visible.size() * 24);
    const std::vector<float> before = attend_together(family_, page, queries, n_visible);
    const std::vector<float> bad(24, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t j = 42; j < page_positions; ++j) page.store(family_, j, bad, bad);
    const std::vector<float> after = attend_together(family_, page, queries, n_visible);
    for (const std::size_t query : {0u, 1u, 2u, 4u})
        EXPECT_TRUE(same_bits(std::span(before).subspan(query * 26, 26),
                              std::span(after).subspan(query * 26, 26)))
            << query;
    EXPECT_TRUE(std::isnan(after[3 * 26 + 5]));
}

using QuantizedCache = EachFamily;

TEST_P(QuantizedCache, keeps_int8_and_a_scale_for_every_32_dimensions_of_a_position) {
    constexpr std::size_t head_dim = 40, slot = 9; // blocks of 32 and 8
    std::vector<float> key(head_dim), value(head_dim);
    std::iota(key.begin(), key.end(), -16.0f); // −16 … 15 and 16 … 23
    key[3] = 127.0f;                           // scale 1
    key[4] = 2.5f;                             // half to even: 2
    key[5] = -3.5f;                            // −4
    for (std::size_t d = 0; d < 32; ++d) value[d] = d == 7 ? -254.0f : 1.0f; // scale 2: 0.5 → 0
    value[33] = 0x1p-120f; // 127 / amax is not finite only below 2^-121
    Page page(family_, CacheType::q8_0, head_dim);
    page.store(family_, slot, key, value);

    const auto* k = reinterpret_cast<const std::int8_t*>(page.keys.data());
    const auto* v = reinterpret_cast<const std::int8_t*>(page.values.data());
    const auto* key_scales = reinterpret_cast<const std::uint16_t*>(k + page_positions * head_dim);
    const auto* value_scales =
        reinterpret_cast<const std::uint16_t*>(v + page_positions * head_dim);
    EXPECT_EQ(page_bytes(CacheType::q8_0, head_dim), 256u * (40 + 2 * 2));
    EXPECT_EQ(key_scales[slot], f32_to_f16(1.0f));
    EXPECT_EQ(key_scales[256 + slot], f32_to_f16(23.0f / 127.0f));
    for (std::size_t d = 0; d < 32; ++d)
        EXPECT_EQ(k[d * 256 + slot], d == 4 ? 2 : d == 5 ? -4 : static_cast<int>(key[d])) << d;
    for (std::size_t d = 32; d < 40; ++d)
        EXPECT_EQ(k[d * 256 + slot], std::lround(static_cast<double>(key[d]) * 127 / 23)) << d;
    EXPECT_EQ(value_scales[slot], f32_to_f16(2.0f));
    EXPECT_EQ(value_scales[256 + slot], 0u); // 2^-120 / 127 is no f16
    for (std::size_t d = 0; d < 32; ++d) EXPECT_EQ(v[slot * 40 + d], d == 7 ? -127 : 0) << d;
    EXPECT_EQ(v[slot * 40 + 33], 127);
}

TEST_P(QuantizedCache, keeps_four_bits_and_a_scale_for_every_32_dimensions_of_a_position) {
    constexpr std::size_t head_dim = 40, slot = 9; // blocks of 32 and 8
    std::vector<float> key(head_dim, 0.0f), value(head_dim, 1.0f);
    key[3] = -16.0f; // the largest: −8, scale 2
    key[5] = 14.0f;  // 7
    key[6] = 16.0f;  // 8 does not fit: 7
    key[18] = 3.0f;  // 1.5, half to even: 2
    key[19] = 5.0f;  // 2.5: 2
    key[35] = 8.0f;  // the largest of its block: −8, scale −1
    key[36] = -3.0f; // 3
    Page page(family_, CacheType::q4_0, head_dim);
    page.store(family_, slot, key, value);

    const auto* k = reinterpret_cast<const std::uint8_t*>(page.keys.data());
    const auto* v = reinterpret_cast<const std::uint8_t*>(page.values.data());
    const auto* key_scales = reinterpret_cast<const std::uint16_t*>(k + 2 * 16 * page_positions);
    const auto* value_scales = reinterpret_cast<const std::uint16_t*>(v + 2 * 16 * page_positions);
    EXPECT_EQ(page_bytes(CacheType::q4_0, head_dim), 256u * 2 * (16 + 2));
    EXPECT_EQ(key_scales[slot], f32_to_f16(2.0f));
    EXPECT_EQ(key_scales[256 + slot], f32_to_f16(-1.0f));
    const auto kept = [&](std::size_t block, std::size_t in_block) {
        const int byte = k[(block * 16 + in_block % 16) * 256 + slot];
        return (in_block < 16 ? byte & 15 : byte >> 4) - 8;
    };
    const std::map<std::size_t, int> expected = {{3, -8}, {5, 7}, {6, 7}, {18, 2}, {19, 2}};
    for (std::size_t d = 0; d < 32; ++d)
        EXPECT_EQ(kept(0, d), expected.contains(d) ? expected.at(d) : 0) << d;
    for (std::size_t d = 0; d < 8; ++d) EXPECT_EQ(kept(1, d), d == 3 ? -8 : d == 4 ? 3 : 0) << d;
    EXPECT_EQ(value_scales[slot], f32_to_f16(-0.125f)); // 1 = −8 · −1/8
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(v[slot * 2 * 16 + i], 0x00) << i;
}

TEST_P(QuantizedCache, takes_a_position_block_by_block) {
    constexpr std::size_t head_dim = 80;
    const std::vector<float> key = random_queries(head_dim), value = random_queries(2 * head_dim);
    for (const CacheType type : {CacheType::q8_0, CacheType::q4_0}) {
        const Page other(family_, type, head_dim);
        Page whole = other, parts = other;
        whole.store(family_, 77, key, value);
        for (const auto& [begin, end] : {std::pair{64u, 80u}, {0u, 32u}, {32u, 64u}}) {
            family_.store_key(key.data(), parts.keys.data(), type, head_dim, 77, begin, end);
            family_.store_value(value.data(), parts.values.data(), type, head_dim, 77, begin, end);
        }
        EXPECT_EQ(whole.keys, parts.keys);
        EXPECT_EQ(whole.values, parts.values);
        EXPECT_NE(whole.keys, other.keys);
    }
}

TEST_P(QuantizedCache, lets_values_that_are_not_finite_be_seen) {
    constexpr std::size_t head_dim = 64;
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e30f})
        for (const CacheType type : {CacheType::q8_0, CacheType::q4_0}) {
            Page page(family_, type, head_dim);
            std::vector<float> value(head_dim, 0.5f);
            value[40] = bad;
            page.store(family_, 3, value, value);
            std::vector<float> o(head_dim);
            const std::vector<float> query(head_dim, 0.0f);
            support::attend_page(family_, query.data(), page.view(), page.type, head_dim, 4, 1.0f,
                                 o.data());
            EXPECT_FALSE(std::isfinite(o[40])) << bad << ' ' << name_of(type);
        }
}

TEST_P(QuantizedCache, may_keep_keys_and_values_differently) {
    for (const std::size_t head_dim : {24u, 64u, 80u})
        for (const CacheType keys : support::cache_types)
            for (const CacheType values : support::cache_types) {
                const Page of_keys(family_, keys, head_dim), of_values(family_, values, head_dim);
                const PageView page{of_keys.keys.data(), of_values.values.data()};
                const std::vector<float> query = random_queries(head_dim);
                std::vector<float> scores(queries_at_once * page_positions);
                std::vector<float> mixed(head_dim), plain(head_dim);
                PageQuery one{query.data(), 3, 200, {0, 0, mixed.data()}};
                family_.attend_page(&one, 1, page, {keys, values}, head_dim, {0.2f}, scores.data());
                PageQuery twin{query.data(), 3, 200, {0, 0, plain.data()}};
                find_family("integer")->attend_page(&twin, 1, page, {keys, values}, head_dim,
                                                    {0.2f}, scores.data());
                EXPECT_EQ(one.part.m, twin.part.m);
                EXPECT_EQ(one.part.l, twin.part.l);
                EXPECT_TRUE(same_bits(mixed, plain));
            }
}

/// Entry (i, j) of the Hadamard matrix: the parity of the bits that i and j share.
int hadamard(std::size_t i, std::size_t j) {
    return std::popcount(i & j) % 2 == 0 ? 1 : -1;
}

TEST(rotate_head, multiplies_each_run_by_the_hadamard_matrix) {
    for (const auto& [head_dim, run] : {std::pair{64u, 64u}, {80u, 16u}, {96u, 32u}, {6u, 2u}}) {
        const std::vector<float> head = random_queries(head_dim);
        std::vector<float> rotated = head;
        rotate_head(rotated.data(), head_dim);
        for (std::size_t i = 0; i < head_dim; ++i) {
            double exact = 0;
            for (std::size_t j = 0; j < run; ++j)
                exact += hadamard(i % run, j) * static_cast<double>(head[i / run * run + j]);
            EXPECT_NEAR(rotated[i], exact / std::sqrt(static_cast<double>(run)), 2e-6) << i;
        }
        rotate_head(rotated.data(), head_dim); // its own inverse
        for (std::size_t i = 0; i < head_dim; ++i) EXPECT_NEAR(rotated[i], head[i], 2e-6) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Families, PageQueries, testing::ValuesIn(usable_families()), family_name);
INSTANTIATE_TEST_SUITE_P(Families, QuantizedCache, testing::ValuesIn(usable_families()),
                         family_name);

} // namespace
} // namespace pillar::kernels
