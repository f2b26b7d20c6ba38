// Where a fast family could saturate, overflow or take another branch than its twin: integers at
// their ends, activations that reinforce a row, scales and floats of any bit pattern, long rows.

#include "all_families.hpp"
#include "bits.hpp"
#include "support/kernels/attention.hpp"
#include "support/kernels/products.hpp"

#include <algorithm>
#include <array>

namespace pillar::kernels {
namespace {

using support::Columns;
using support::even_slices;
using support::Random;
using support::random_columns;
using support::random_rows;
using support::Rows;
using support::slices_between;

float random_bits(Random& random) {
    return std::bit_cast<float>(random.below(0xFFFFFFFFu));
}

/// Rows whose bytes, scales included, are 00, FF, 80 or 7F at random; the f16 factors stay
/// moderate.
Rows extreme_rows(quant::Type type, std::size_t n_rows, std::size_t n_columns) {
    Rows rows = random_rows(type, n_rows, n_columns, 31);
    const Rows moderate = rows;
    std::vector<std::size_t> kept = support::factor_offsets(type);
    if (type == quant::Type::mxfp4) kept.push_back(0);       // the exponent and one byte of weights
    if (type == quant::Type::iq1_m) kept = {48, 50, 52, 54}; // nibbles of the factor on scales
    Random random(32);
    for (std::byte& byte : rows.bytes)
        byte = std::byte(std::array{0x00, 0xFF, 0x80, 0x7F}[random.below(4)]);
    const std::size_t unit = quant::info(type).block_bytes;
    for (std::size_t block = 0; block < rows.bytes.size(); block += unit)
        for (const std::size_t at : kept)
            std::copy_n(moderate.bytes.data() + block + at, 2, rows.bytes.data() + block + at);
    return rows;
}

using ExtremeBlocks = EachFamilyAndType;

TEST_P(ExtremeBlocks, have_the_twins_bits_where_activations_reinforce_every_weight_of_a_row) {
    constexpr std::size_t n = 512;
    const Rows rows = extreme_rows(type_, 16, n);
    Columns x{rows.n_rows, n, {}};
    for (std::size_t c = 0; c < x.n; ++c)
        for (const float w : rows.weights(c)) x.values.push_back(w < 0 ? -3.0f : 3.0f);
    EXPECT_TRUE(same_bits(support::product(family_, rows, {{0, n}}, x),
                          support::product(twin_of(family_), rows, {{0, n}}, x)));
}

TEST_P(ExtremeBlocks, have_the_twins_bits_with_factors_of_any_bit_pattern) {
    constexpr std::size_t n = 512;
    constexpr std::uint16_t patterns[] = {0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF,
                                          0xFBFF, 0x7C00, 0xFC00, 0x7E00, 0x7D01, 0x3C00};
    Rows rows = random_rows(type_, std::size(patterns), n, 33);
    const std::size_t unit = quant::info(type_).block_bytes;
    Random random(34);
    for (std::size_t i = 0; i < rows.bytes.size(); i += unit)
        for (const std::size_t at : support::factor_offsets(type_)) { // a row in two mixes them
            const std::size_t row = i / rows.row_bytes();
            const std::uint16_t half = patterns[row % 2 == 0 ? row : random.below(7)];
            std::memcpy(rows.bytes.data() + i + at, &half, sizeof half);
        }
    if (type_ == quant::Type::iq1_m)
        for (std::size_t i = 0; i < rows.bytes.size(); i += unit)
            support::set_iq1_m_scale(rows.bytes.data() + i, patterns[i / rows.row_bytes()]);
    if (type_ == quant::Type::mxfp4) // every exponent: row after row, then in one row
        for (std::size_t i = 0; i < rows.bytes.size(); i += unit) {
            constexpr std::uint8_t exponents[] = {0, 1, 2, 3, 127, 128, 253, 254, 255};
            const std::size_t row = i / rows.row_bytes();
            rows.bytes[i] =
                std::byte(row < std::size(exponents) ? exponents[row] : exponents[random.below(4)]);
        }
    const Columns x = random_columns(5, n, 35);
    EXPECT_TRUE(same_bits(support::product(family_, rows, {{0, n}}, x),
                          support::product(twin_of(family_), rows, {{0, n}}, x)));
}

std::vector<quant::Type> block_types() {
    std::vector<quant::Type> types;
    for (const quant::Type type : quant::all_types)
        if (!quant::is_float(type)) types.push_back(type);
    return types;
}

INSTANTIATE_TEST_SUITE_P(Families, ExtremeBlocks,
                         testing::Combine(testing::ValuesIn(usable_families()),
                                          testing::ValuesIn(block_types())),
                         family_and_type_name);

using ExtremeProduct = EachFamilyAndType;

TEST_P(ExtremeProduct, has_the_twins_bits_with_activations_of_any_bit_pattern) {
    constexpr std::size_t n = 768;
    const Rows rows = random_rows(type_, 9, n, 36);
    Columns x{5, n, std::vector<float>(5 * n)};
    Random random(37);
    for (std::size_t i = 0; i < x.values.size(); ++i) // some blocks random bits, some tiny
        x.values[i] = i / 32 % 3 == 0   ? random_bits(random)
                      : i / 32 % 3 == 1 ? random.unit() * 0x1p-121f
                                        : random.unit();
    EXPECT_TRUE(same_bits(support::product(family_, rows, {{0, n}}, x),
                          support::product(twin_of(family_), rows, {{0, n}}, x)));
}

TEST_P(ExtremeProduct, has_the_twins_bits_on_rows_longer_than_a_panel) {
    constexpr std::size_t n = 3072;
    const Rows rows = random_rows(type_, 19, n, 38);
    const std::vector<std::vector<Slice>> cuts = {
        {{0, n}}, even_slices(n / 48, 48, 8), slices_between({40, 1700, 1700, 1736, n})};
    for (const std::size_t n_columns : {1u, 2u, 6u, 16u, 19u}) {
        const Columns x = random_columns(n_columns, n, 39);
        for (const auto& slices : cuts)
            EXPECT_TRUE(same_bits(support::product(family_, rows, slices, x),
                                  support::product(twin_of(family_), rows, slices, x)))
                << n_columns << " columns, " << slices.size() << " slices";
    }
}

TEST_P(ExtremeProduct, has_the_twins_bits_on_one_very_long_row) {
    constexpr std::size_t n = 132096; // 4128 blocks of 32
    const Rows rows = random_rows(type_, 1, n, 40);
    const Columns x = random_columns(1, n, 41);
    EXPECT_TRUE(same_bits(support::product(family_, rows, {{0, n}}, x),
                          support::product(twin_of(family_), rows, {{0, n}}, x)));
}

INSTANTIATE_TEST_SUITE_P(Families, ExtremeProduct,
                         testing::Combine(testing::ValuesIn(usable_families()),
                                          testing::ValuesIn(quant::all_types)),
                         family_and_type_name);

class ExtremeVectors : public EachFamily {
  protected:
    const Family& twin_ = *find_family("integer");
};

TEST_P(ExtremeVectors, are_quantised_to_the_twins_bits_whatever_theirs_are) {
    const std::vector<Slice> slices = slices_between({0, 80, 240, 240, 1000});
    Random random(42);
    for (int round = 0; round < 200; ++round) {
        Columns x{1, 1000, std::vector<float>(1000)};
        for (std::size_t i = 0; i < x.values.size(); ++i) {
            // a block's magnitudes lie within 2^9 of each other, from subnormals to infinity
            const auto exponent = (static_cast<std::uint32_t>(i) / 32 * 37 + round * 11u) % 250u;
            x.values[i] =
                std::bit_cast<float>(((exponent + random.below(9)) << 23 | random.below(1u << 23)) ^
                                     random.below(2) << 31);
        }
        const Activations a = support::activations_of(family_, slices, x);
        const Activations b = support::activations_of(twin_, slices, x);
        EXPECT_TRUE(same_bits(a.scale, b.scale));
        EXPECT_TRUE(std::ranges::equal(a.q, b.q));
        EXPECT_TRUE(std::ranges::equal(a.sum, b.sum));
        EXPECT_TRUE(std::ranges::equal(a.half_sum, b.half_sum));
    }
}

TEST_P(ExtremeVectors, of_several_columns_are_quantised_each_as_if_alone) {
    const std::vector<Slice> slices = slices_between({0, 80, 240, 240, 500});
    const std::size_t width = family_.panel_columns;
    for (const std::size_t n : {width - 1, width, width + 1, 2 * width + 3}) {
        const Columns x = support::random_columns(n, 500, 43);
        const Activations all = support::activations_of(family_, slices, x);
        std::vector<bool> seen(n * all.layout.n_blocks);
        for (std::size_t c = 0; c < n; ++c) {
            const Columns one{1, 500, {x.column(c), x.column(c) + 500}};
            const Activations alone = support::activations_of(twin_, slices, one);
            for (std::size_t b = 0; b < all.layout.n_blocks; ++b) {
                const std::size_t at = all.block_at(c, b);
                ASSERT_FALSE(seen.at(at)) << "two blocks in one place";
                seen[at] = true;
                EXPECT_TRUE(std::equal(&alone.q[b * block_size], &alone.q[b * block_size] + 32,
                                       &all.q[at * block_size]));
                EXPECT_EQ(std::bit_cast<std::uint32_t>(all.scale[at]),
                          std::bit_cast<std::uint32_t>(alone.scale[b]));
                EXPECT_EQ(all.sum[at], alone.sum[b]);
                EXPECT_EQ(all.half_sum[2 * at], alone.half_sum[2 * b]);
                EXPECT_EQ(all.half_sum[2 * at + 1], alone.half_sum[2 * b + 1]);
            }
        }
    }
}

TEST_P(ExtremeVectors, halves_between_two_integers_go_to_the_even_one) {
    Columns x{1, 256, std::vector<float>(256)};
    for (std::size_t i = 0; i < 256; ++i) // amax 127: x · inverse is x
        x.values[i] = i % 32 == 0 ? -127.0f : static_cast<float>(i % 250) - 124.5f;
    const Activations a = support::activations_of(family_, {{0, 256}}, x);
    for (std::size_t i = 0; i < 256; ++i)
        EXPECT_EQ(a.q[i], static_cast<int>(std::nearbyint(x.values[i]))) << x.values[i];
}

TEST_P(ExtremeVectors, swiglu_has_the_twins_bits_for_gates_of_every_exponent) {
    // the borders of exp's range too
    std::vector<float> gate{-88.72283f, -88.722824f, -88.72284f,
                            103.97208f, 103.97207f,  103.972084f};
    std::vector<float> up(gate.size(), 1.0f);
    for (std::uint64_t bits = 0; bits < 0x100000000u; bits += 30011) {
        gate.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
        up.push_back(bits % 2 == 0 ? 1.5f : -0x1.234p-3f);
    }
    std::vector<float> a(gate.size()), b(gate.size());
    family_.swiglu(gate.data(), up.data(), gate.size(), a.data());
    twin_.swiglu(gate.data(), up.data(), gate.size(), b.data());
    EXPECT_TRUE(same_bits(a, b));
}

TEST_P(ExtremeVectors, have_the_twins_bits_in_norm_rotation_and_residual) {
    Random random(43);
    for (std::size_t n = 1; n < 70; ++n) {
        std::vector<float> x(2 * n), y(2 * n), z(2 * n), a(2 * n), b(2 * n);
        for (auto* v : {&x, &y, &z})
            for (float& value : *v) value = n % 3 == 0 ? random_bits(random) : random.unit();
        family_.rms_norm(x.data(), y.data(), n, 0.0f, a.data());
        twin_.rms_norm(x.data(), y.data(), n, 0.0f, b.data());
        EXPECT_TRUE(same_bits(a, b)) << n;
        a[0] = family_.sum_of_squares(x.data(), 2 * n);
        b[0] = twin_.sum_of_squares(x.data(), 2 * n);
        EXPECT_TRUE(same_bits(a, b)) << n;
        a = b = x;
        family_.rope(a.data(), y.data(), z.data(), n);
        twin_.rope(b.data(), y.data(), z.data(), n);
        EXPECT_TRUE(same_bits(a, b)) << n;
        family_.add(a.data(), y.data(), 2 * n);
        twin_.add(b.data(), y.data(), 2 * n);
        EXPECT_TRUE(same_bits(a, b)) << n;
        family_.add_scaled(a.data(), z.data(), y[0], 2 * n);
        twin_.add_scaled(b.data(), z.data(), y[0], 2 * n);
        EXPECT_TRUE(same_bits(a, b)) << n;
        family_.swiglu_clamped(x.data(), y.data(), 1.702f, 7.0f, 2 * n, a.data());
        twin_.swiglu_clamped(x.data(), y.data(), 1.702f, 7.0f, 2 * n, b.data());
        EXPECT_TRUE(same_bits(a, b)) << n;
    }
}

TEST_P(ExtremeVectors, attention_has_the_twins_bits_whatever_lies_in_the_cache) {
    constexpr std::size_t head_dim = 44;
    Random random(44);
    for (const CacheType type : support::cache_types) {
        for (const std::size_t n : {1u, 9u, 64u, 100u, 256u}) {
            std::vector<std::byte> keys[2], values[2];
            for (auto* pages : {keys, values})
                for (std::size_t i = 0; i < 2; ++i) pages[i].resize(page_bytes(type, head_dim));
            std::vector<float> query(head_dim), key(head_dim), value(head_dim);
            for (float& v : query) v = random.unit();
            for (std::size_t slot = 0; slot < n; ++slot) {
                const bool wild = slot % 7 == 3; // scores of any size, some NaN
                for (float& v : key) v = wild ? random_bits(random) : 40.0f * random.unit();
                for (float& v : value) v = wild ? 0x1p-20f * random.unit() : random.unit();
                support::store_kv(family_, key.data(), value.data(), keys[0].data(),
                                  values[0].data(), type, head_dim, slot);
                support::store_kv(twin_, key.data(), value.data(), keys[1].data(), values[1].data(),
                                  type, head_dim, slot);
            }
            EXPECT_EQ(keys[0], keys[1]);
            EXPECT_EQ(values[0], values[1]);
            std::vector<float> a(head_dim), b(head_dim);
            const PartialAttention p =
                support::attend_page(family_, query.data(), {keys[0].data(), values[0].data()},
                                     type, head_dim, n, 0.5f, a.data());
            const PartialAttention q =
                support::attend_page(twin_, query.data(), {keys[1].data(), values[1].data()}, type,
                                     head_dim, n, 0.5f, b.data());
            EXPECT_EQ(p.m, q.m);
            EXPECT_TRUE(same_bits({&p.l, 1}, {&q.l, 1}));
            EXPECT_TRUE(same_bits(a, b)) << n;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Families, ExtremeVectors, testing::ValuesIn(usable_families()),
                         family_name);

} // namespace
} // namespace pillar::kernels
