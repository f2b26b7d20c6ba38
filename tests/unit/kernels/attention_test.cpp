// Attention over pages against doubles, and bit for bit against the plain family.

#include "all_families.hpp"
#include "bits.hpp"
#include "support/kernels/attention.hpp"
#include "support/kernels/random_rows.hpp"

#include <cmath>
#include <limits>

namespace pillar::kernels {
namespace {

/// One KV head's pages, filled with random keys and values through a family's store_kv.
struct Cache {
    Cache(const Family& family, CacheType cache_type, std::size_t dim, std::size_t n)
        : type(cache_type), head_dim(dim), n_positions(n) {
        const std::size_t n_pages = (n + page_positions - 1) / page_positions;
        keys.assign(n_pages, std::vector<std::byte>(page_bytes(type, dim)));
        values = keys;
        support::Random random(dim);
        std::vector<float> key(dim), value(dim);
        for (std::size_t j = 0; j < n; ++j) {
            for (float& v : key) v = 2.0f * random.unit();
            for (float& v : value) v = random.unit();
            support::store_kv(family, key.data(), value.data(), keys[j / page_positions].data(),
                              values[j / page_positions].data(), type, dim, j % page_positions);
        }
    }
    [[nodiscard]] PageView page(std::size_t p) const { return {keys[p].data(), values[p].data()}; }
    [[nodiscard]] double key_at(std::size_t j, std::size_t d) const {
        return support::read_key(keys[j / page_positions].data(), type, head_dim,
                                 j % page_positions, d);
    }
    [[nodiscard]] double value_at(std::size_t j, std::size_t d) const {
        return support::read_value(values[j / page_positions].data(), type, head_dim,
                                   j % page_positions, d);
    }

    CacheType type;
    std::size_t head_dim;
    std::size_t n_positions;
    std::vector<std::vector<std::byte>> keys;
    std::vector<std::vector<std::byte>> values;
};

std::vector<float> query_for(std::size_t head_dim) {
    support::Random random(head_dim + 1);
    std::vector<float> query(head_dim);
    for (float& v : query) v = 3.0f * random.unit();
    return query;
}

/// All positions, pages combined from left to right.
std::vector<float> attend(const Family& family, const Cache& cache, const std::vector<float>& query,
                          float scale) {
    std::vector<float> o(cache.head_dim), o_next(cache.head_dim);
    PartialAttention all{};
    for (std::size_t p = 0; p * page_positions < cache.n_positions; ++p) {
        const std::size_t visible =
            std::min(page_positions, cache.n_positions - p * page_positions);
        const PartialAttention part =
            support::attend_page(family, query.data(), cache.page(p), cache.type, cache.head_dim,
                                 visible, scale, p == 0 ? o.data() : o_next.data());
        if (p == 0)
            all = part;
        else
            family.combine(all, part, cache.head_dim);
    }
    std::vector<float> out(cache.head_dim);
    family.finish_attention(all, cache.head_dim, out.data());
    return out;
}

std::vector<double> attend_exactly(const Cache& cache, const std::vector<float>& query,
                                   double scale) {
    std::vector<double> score(cache.n_positions);
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < cache.n_positions; ++j) {
        for (std::size_t d = 0; d < cache.head_dim; ++d) score[j] += query[d] * cache.key_at(j, d);
        most = std::max(most, score[j] *= scale);
    }
    double l = 0;
    std::vector<double> out(cache.head_dim);
    for (std::size_t j = 0; j < cache.n_positions; ++j) {
        const double e = std::exp(score[j] - most);
        l += e;
        for (std::size_t d = 0; d < cache.head_dim; ++d) out[d] += e * cache.value_at(j, d);
    }
    for (double& v : out) v /= l;
    return out;
}

using Attention = EachFamily;

TEST_P(Attention, is_close_to_doubles_and_has_the_plain_bits) {
    for (const CacheType type : support::cache_types) {
        for (const std::size_t head_dim : {1u, 2u, 16u, 40u, 64u, 80u, 128u, 260u}) {
            for (const std::size_t n : {1u, 2u, 15u, 16u, 17u, 33u, 255u, 256u, 257u, 700u}) {
                const Cache cache(family_, type, head_dim, n);
                const std::vector<float> query = query_for(head_dim);
                const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
                const std::vector<float> out = attend(family_, cache, query, scale);
                EXPECT_LE(nmse(out, attend_exactly(cache, query, scale)), 1e-10)
                    << head_dim << " dimensions, " << n << " positions";
                EXPECT_TRUE(same_bits(out, attend(*find_family("integer"), cache, query, scale)))
                    << head_dim << " dimensions, " << n << " positions";
            }
        }
    }
}

TEST_P(Attention, leaves_the_plain_maximum_and_sum_of_a_page) {
    const Cache cache(family_, CacheType::f16, 64, 200);
    const std::vector<float> query = query_for(64);
    std::vector<float> o(64), o_plain(64);
    for (const std::size_t n : {1u, 7u, 16u, 63u, 200u}) {
        const PartialAttention a = support::attend_page(family_, query.data(), cache.page(0),
                                                        cache.type, 64, n, 0.125f, o.data());
        const PartialAttention b =
            support::attend_page(*find_family("integer"), query.data(), cache.page(0), cache.type,
                                 64, n, 0.125f, o_plain.data());
        EXPECT_EQ(a.m, b.m) << n;
        EXPECT_EQ(a.l, b.l) << n;
        EXPECT_EQ(a.o, o.data());
        EXPECT_TRUE(same_bits(o, o_plain)) << n;
    }
}

TEST_P(Attention, does_not_look_at_positions_that_are_not_visible) {
    Cache cache(family_, CacheType::f32, 16, 40);
    const std::vector<float> query = query_for(16);
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> o(16), o_again(16);
    const PartialAttention before = support::attend_page(family_, query.data(), cache.page(0),
                                                         cache.type, 16, 37, 0.25f, o.data());
    const std::vector<float> bad(16, nan);
    for (std::size_t j = 37; j < page_positions; ++j)
        support::store_kv(family_, bad.data(), bad.data(), cache.keys[0].data(),
                          cache.values[0].data(), cache.type, 16, j);
    const PartialAttention after = support::attend_page(family_, query.data(), cache.page(0),
                                                        cache.type, 16, 37, 0.25f, o_again.data());
    EXPECT_EQ(before.l, after.l);
    EXPECT_TRUE(same_bits(o, o_again));
}

TEST_P(Attention, lets_a_nan_key_be_seen) {
    Cache cache(family_, CacheType::f16, 32, 50);
    const std::vector<float> bad(32, std::numeric_limits<float>::quiet_NaN());
    for (const std::size_t slot : {0u, 20u, 49u}) {
        support::store_kv(family_, bad.data(), bad.data(), cache.keys[0].data(),
                          cache.values[0].data(), cache.type, 32, slot);
        for (const float v : attend(family_, cache, query_for(32), 0.2f))
            EXPECT_TRUE(std::isnan(v)) << slot;
    }
}

TEST_P(Attention, never_takes_a_nan_for_the_maximum) {
    Cache cache(family_, CacheType::f32, 8, 50);
    const std::vector<float> query = query_for(8);
    std::vector<float> o(8);
    const auto maximum = [&](std::size_t n) {
        return support::attend_page(family_, query.data(), cache.page(0), cache.type, 8, n, 1.0f,
                                    o.data())
            .m;
    };
    const float of_49 = maximum(49);
    const std::vector<float> bad(8, std::numeric_limits<float>::quiet_NaN());
    support::store_kv(family_, bad.data(), bad.data(), cache.keys[0].data(), cache.values[0].data(),
                      cache.type, 8, 49);
    EXPECT_EQ(maximum(50), of_49);
    support::store_kv(family_, bad.data(), bad.data(), cache.keys[0].data(), cache.values[0].data(),
                      cache.type, 8, 0);
    EXPECT_TRUE(std::isinf(maximum(1)));
    EXPECT_FALSE(std::isnan(maximum(50)));
}

TEST_P(Attention, widens_every_cached_f16_exactly) {
    // one position: e = 1, l = 1, so that the output is the value itself
    constexpr std::size_t head_dim = 256;
    std::vector<std::uint16_t> keys(page_positions * head_dim), values(page_positions * head_dim);
    const std::vector<float> query(head_dim, 0.0f);
    std::vector<float> o(head_dim);
    for (std::uint32_t first = 0; first < 65536; first += head_dim) {
        for (std::uint32_t d = 0; d < head_dim; ++d)
            values[d] = static_cast<std::uint16_t>(first + d);
        support::attend_page(family_, query.data(), {keys.data(), values.data()}, CacheType::f16,
                             head_dim, 1, 1.0f, o.data());
        for (std::uint32_t d = 0; d < head_dim; ++d) {
            const float exact = f16_to_f32(static_cast<std::uint16_t>(first + d));
            // 1 · value + 0: the sign of a zero is lost to the +0 that the sum starts from
            if (std::isnan(exact))
                EXPECT_TRUE(std::isnan(o[d])) << first + d;
            else
                EXPECT_EQ(o[d], exact) << first + d;
        }
    }
}

TEST_P(Attention, stores_rounded_keys_by_dimension_and_values_by_position) {
    const std::vector<float> key{1.0f, 65520.0f, 0x1.002p0f}, value{-2.0f, 0x1p-25f, 3.0f};
    std::vector<std::uint16_t> keys(3 * page_positions), values(3 * page_positions);
    support::store_kv(family_, key.data(), value.data(), keys.data(), values.data(), CacheType::f16,
                      3, 200);
    for (std::size_t d = 0; d < 3; ++d) {
        EXPECT_EQ(keys[d * page_positions + 200], f32_to_f16(key[d]));
        EXPECT_EQ(values[200 * 3 + d], f32_to_f16(value[d]));
    }
    EXPECT_EQ(std::count(keys.begin(), keys.end(), 0), 3 * 256 - 3);
    EXPECT_EQ(std::count(values.begin(), values.end(), 0), 3 * 256 - 2); // 2^-25 becomes 0
}

TEST_P(Attention, combine_follows_its_sequence) {
    std::vector<float> o_a{1.0f, 2.0f, 3.0f}, o_b{0.5f, -1.0f, 0.25f};
    PartialAttention a{1.5f, 2.0f, o_a.data()};
    const PartialAttention b{0.5f, 3.0f, o_b.data()};
    family_.combine(a, b, 3);
    const double f = std::exp(-1.0); // the factor of b; that of a is exactly 1
    EXPECT_EQ(a.m, 1.5f);
    EXPECT_NEAR(a.l, 2.0 + 3.0 * f, 1e-6);
    for (std::size_t d = 0; d < 3; ++d)
        EXPECT_NEAR(o_a[d], static_cast<double>(d + 1) + f * static_cast<double>(o_b[d]), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Families, Attention, testing::ValuesIn(usable_families()), family_name);

} // namespace
} // namespace pillar::kernels
