// What may not change a product's bits: the family, the split among ranks, threads and calls. And
// how far products with quantised activations are from exact ones.

#include "all_families.hpp"
#include "bits.hpp"
#include "support/kernels/products.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace pillar::kernels {
namespace {

using support::Columns;
using support::cuts_of;
using support::even_slices;
using support::random_columns;
using support::random_rows;
using support::Rows;
using support::slices_between;

/// A row length that the format allows, near `n`: whole blocks, and an odd number for floats.
std::size_t length_near(quant::Type type, std::size_t n) {
    const std::size_t unit = quant::info(type).block_weights;
    return unit == 1 ? n + 5 : (n + unit - 1) / unit * unit;
}

using Multiply = EachFamilyAndType;

TEST_P(Multiply, gives_the_bits_of_its_twin_at_awkward_sizes) {
    const Family& twin = twin_of(family_);
    const std::size_t n = length_near(type_, 512);
    const std::size_t sizes[][2] = {{1, 1}, {3, 2}, {7, 5}, {16, 4}, {17, 9}, {40, 17}, {33, 70}};
    for (const auto& [n_rows, n_columns] : sizes) {
        const Rows rows = random_rows(type_, n_rows, n, n_rows);
        const Columns x = random_columns(n_columns, n, 100 + n_rows);
        for (const auto& slices : cuts_of(n)) {
            ASSERT_TRUE(same_bits(support::product(family_, rows, slices, x),
                                  support::product(twin, rows, slices, x)))
                << n_rows << " rows, " << n_columns << " columns, " << slices.size() << " slices";
        }
    }
}

TEST_P(Multiply, gives_the_bits_of_its_twin_over_many_rows_and_panels) {
    const std::size_t n = length_near(type_, 1280); // 40 blocks, longer than what lies in a cache
    const Rows rows = random_rows(type_, 549, n, 41);
    const Columns x = random_columns(35, n, 42);
    const auto slices = slices_between({0, n / 2 + 9, n});
    EXPECT_TRUE(same_bits(support::product(family_, rows, slices, x),
                          support::product(twin_of(family_), rows, slices, x)));
}

TEST_P(Multiply, gives_the_bits_of_its_twin_over_very_long_rows) {
    const std::size_t n = 300032; // 9376 blocks: more than the sums that a kernel prepares at once
    for (const std::size_t n_columns : {1u, 7u, 17u}) {
        const Rows rows = random_rows(type_, 3, n, 43);
        const Columns x = random_columns(n_columns, n, 44);
        const auto slices = slices_between({96, 9000, n - 5});
        ASSERT_TRUE(same_bits(support::product(family_, rows, slices, x),
                              support::product(twin_of(family_), rows, slices, x)))
            << n_columns << " columns";
    }
}

TEST_P(Multiply, gives_the_bits_of_its_twin_over_long_rows_of_several_groups) {
    const std::size_t n = 17408; // 544 blocks: more of 16 columns than a kernel prepares at once
    const Rows rows = random_rows(type_, 43, n, 49);
    const Columns x = random_columns(21, n, 50);
    const auto slices = slices_between({96, 9000, n - 5});
    EXPECT_TRUE(same_bits(support::product(family_, rows, slices, x),
                          support::product(twin_of(family_), rows, slices, x)));
}

TEST_P(Multiply, gives_the_bits_of_its_twin_with_extreme_integers) {
    const std::size_t n = length_near(type_, 512);
    Rows rows = random_rows(type_, 34, n, 3);
    if (!quant::is_float(type_)) { // all integers at their ends: bytes 00, FF, 80, 7F by row
        const Rows scales = rows;
        const std::size_t unit = quant::info(type_).block_bytes;
        for (std::size_t i = 0; i < rows.bytes.size(); ++i)
            rows.bytes[i] = std::byte(std::array{0x00, 0xFF, 0x80, 0x7F}[i / rows.row_bytes() % 4]);
        for (std::size_t block = 0; block < rows.bytes.size(); block += unit)
            for (const std::size_t at : support::factor_offsets(type_))
                std::copy_n(scales.bytes.data() + block + at, 2, rows.bytes.data() + block + at);
    }
    Columns x{4, n, std::vector<float>(4 * n)};
    for (std::size_t i = 0; i < x.values.size(); ++i)
        x.values[i] = i / n == 0 ? 127.0f : i / n == 1 ? -127.0f : i % 2 == 0 ? 127.0f : -127.0f;
    EXPECT_TRUE(same_bits(support::product(family_, rows, {{0, n}}, x),
                          support::product(twin_of(family_), rows, {{0, n}}, x)));
}

TEST_P(Multiply, does_not_depend_on_columns_a_call_or_on_groups_a_thread) {
    const std::size_t n = length_near(type_, 768);
    const Rows rows = random_rows(type_, 53, n, 11);
    const Columns x = random_columns(13, n, 12);
    const auto slices = even_slices(n / 32, 32, 2);
    const std::vector<float> whole = support::product(family_, rows, slices, x);
    const Matrix w = support::pack(family_, rows, slices, 0, rows.n_rows);
    std::vector<float> y(whole.size());
    for (std::size_t c = 0; c < x.n; ++c) { // one column a call
        const Columns one{1, n, {x.column(c), x.column(c) + n}};
        const Activations a = support::activations_of(family_, slices, one);
        multiply(w, a, y.data() + c * rows.n_rows, rows.n_rows, 0, w.n_groups());
    }
    EXPECT_TRUE(same_bits(y, whole)) << "one column a call";
    const Activations a = support::activations_of(family_, slices, x);
    for (const std::size_t n_threads : {2u, 3u, 5u}) {
        std::fill(y.begin(), y.end(), -1.0f);
        for (std::size_t t = 0; t < n_threads; ++t)
            multiply(w, a, y.data(), rows.n_rows, t * w.n_groups() / n_threads,
                     (t + 1) * w.n_groups() / n_threads);
        EXPECT_TRUE(same_bits(y, whole)) << n_threads << " threads";
    }
}

TEST_P(Multiply, gives_a_column_the_same_bits_beside_any_number_of_others) {
    const std::size_t n = length_near(type_, 512);
    const Rows rows = random_rows(type_, 35, n, 47);
    const Columns x = random_columns(18, n, 48);
    const auto slices = slices_between({0, n / 2 + 9, n});
    const std::vector<float> all = support::product(twin_of(family_), rows, slices, x);
    for (std::size_t n_columns = 1; n_columns <= x.n; ++n_columns) {
        const Columns some{n_columns, n, {x.column(0), x.column(n_columns)}};
        const std::vector<float> expected(
            all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n_columns * rows.n_rows));
        EXPECT_TRUE(same_bits(support::product(family_, rows, slices, some), expected))
            << n_columns << " columns";
    }
}

TEST_P(Multiply, writes_its_rows_and_columns_and_nothing_else) {
    const std::size_t n = length_near(type_, 256);
    const Rows rows = random_rows(type_, 21, n, 13);
    const Columns x = random_columns(2, n, 14);
    const std::vector<Slice> slices{{0, n}};
    const Matrix w = support::pack(family_, rows, slices, 0, rows.n_rows);
    const Activations a = support::activations_of(family_, slices, x);
    constexpr std::size_t stride = 24;
    std::vector<float> y(3 * stride, 77.0f);
    multiply(w, a, y.data(), stride, 0, w.n_groups());
    const std::vector<float> dense = support::product(family_, rows, slices, x);
    for (std::size_t i = 0; i < y.size(); ++i) {
        const std::size_t row = i % stride;
        const std::size_t column = i / stride;
        const bool written = row < rows.n_rows && column < 2;
        EXPECT_EQ(y[i], written ? dense[column * rows.n_rows + row] : 77.0f) << i;
    }
}

TEST_P(Multiply, of_2_4_and_8_ranks_adds_up_to_the_bits_of_one_rank) {
    const std::size_t n = length_near(type_, 768);
    const Rows rows = random_rows(type_, 19, n, 15);
    const Columns x = random_columns(3, n, 16);
    for (const std::size_t width : {80u, 32u, 200u}) { // 200: some slices are empty
        const auto slices = even_slices(n / width, width, 8);
        const std::vector<float> one_rank = support::product(family_, rows, slices, x);
        for (const std::size_t n_ranks : {2u, 4u, 8u}) {
            std::vector<std::vector<float>> parts;
            for (std::size_t rank = 0; rank < n_ranks; ++rank) {
                const auto* first = slices.data() + rank * 8 / n_ranks;
                parts.push_back(support::product(family_, rows, {first, first + 8 / n_ranks}, x));
            }
            for (std::size_t step = 1; step < n_ranks; step *= 2)
                for (std::size_t rank = 0; rank < n_ranks; rank += 2 * step)
                    for (std::size_t i = 0; i < one_rank.size(); ++i)
                        parts[rank][i] += parts[rank + step][i];
            EXPECT_TRUE(same_bits(parts[0], one_rank)) << n_ranks << " ranks, heads of " << width;
        }
    }
}

TEST_P(Multiply, of_some_rows_gives_the_bits_of_all_rows) {
    const std::size_t n = length_near(type_, 256);
    const Rows rows = random_rows(type_, 37, n, 17);
    const Columns x = random_columns(2, n, 18);
    const std::vector<Slice> slices{{0, n}};
    const std::vector<float> all = support::product(family_, rows, slices, x);
    const Matrix w = support::pack(family_, rows, slices, 5, 32);
    const Activations a = support::activations_of(family_, slices, x);
    std::vector<float> y(2 * 27);
    multiply(w, a, y.data(), 27, 0, w.n_groups());
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], all[i / 27 * 37 + 5 + i % 27]) << i;
}

TEST_P(Multiply, of_a_view_of_some_columns_and_one_slice_gives_the_bits_of_activations_of_its_own) {
    const std::size_t n = length_near(type_, 512);
    const Rows rows = random_rows(type_, 21, n, 61);
    const auto slices = slices_between({32, 96, 96, 224, 480});
    const Columns all = random_columns(40, n, 62);
    const Activations quantised = support::activations_of(family_, slices, all);
    // Columns from 7 on in another order, as rows that chose the same expert: several panels of
    // them, and one that is full, or not, or a column alone.
    constexpr std::size_t begin = 7;
    for (const std::size_t count : {23, 7, 4, 1}) {
        Columns chosen{count, n, {}};
        Activations gathered(quantised.layout, 40, family_.panel_columns);
        Activations view(gathered, quantised.layout);
        view.point_at(gathered, begin, count);
        for (std::size_t c = 0; c < count; ++c) {
            const std::size_t from = c * 11 % 40;
            view.copy_column(c, quantised, from);
            chosen.values.insert(chosen.values.end(), all.column(from), all.column(from) + n);
        }
        for (std::size_t s = 0; s < slices.size(); ++s) {
            Activations of_slice(gathered, gathered.layout.of_slice(s));
            of_slice.point_at(gathered, begin, count);
            const Matrix w = support::pack(family_, rows, {slices[s]}, 0, rows.n_rows);
            std::vector<float> y(count * rows.n_rows);
            multiply(w, of_slice, y.data(), rows.n_rows, 0, w.n_groups());
            ASSERT_TRUE(same_bits(y, support::product(family_, rows, {slices[s]}, chosen)))
                << "slice " << s << ", " << count << " columns";
        }
    }
}

TEST_P(Multiply, of_an_empty_slice_is_plus_zero) {
    const std::size_t n = length_near(type_, 256);
    const Rows rows = random_rows(type_, 9, n, 19);
    const Columns x = random_columns(2, n, 20);
    for (const auto& slices : {slices_between({64, 64}), slices_between({64, 64, 64})}) {
        const std::vector<float> y = support::product(family_, rows, slices, x);
        EXPECT_EQ(bits_of(y), std::vector<std::uint32_t>(y.size(), 0u));
    }
}

TEST_P(Multiply, lets_nan_and_infinity_be_seen_in_their_column_alone) {
    const std::size_t n = length_near(type_, 512);
    const Rows rows = random_rows(type_, 11, n, 21);
    Columns x = random_columns(3, n, 22);
    x.values[300] = std::numeric_limits<float>::quiet_NaN();
    x.values[2 * n + 40] = std::numeric_limits<float>::infinity();
    const std::vector<float> y = support::product(family_, rows, {{0, n}}, x);
    for (std::size_t r = 0; r < rows.n_rows; ++r) {
        EXPECT_TRUE(std::isnan(y[r])) << r;
        EXPECT_TRUE(std::isfinite(y[rows.n_rows + r])) << r;
        EXPECT_FALSE(std::isfinite(y[2 * rows.n_rows + r])) << r;
    }
}

TEST_P(Multiply, is_close_to_the_exact_product) {
    const std::size_t n = length_near(type_, 1024);
    const Rows rows = random_rows(type_, 24, n, 23);
    const Columns x = random_columns(4, n, 24);
    std::vector<double> exact(4 * 24);
    for (std::size_t r = 0; r < 24; ++r) {
        const std::vector<float> w = rows.weights(r);
        for (std::size_t c = 0; c < 4; ++c)
            for (std::size_t k = 0; k < n; ++k)
                exact[c * 24 + r] += static_cast<double>(w[k]) * x.column(c)[k];
    }
    const bool exact_inputs = family_.float_activations || quant::is_float(type_);
    const double limit = exact_inputs ? 1e-12 : 5e-4;
    EXPECT_LE(nmse(support::product(family_, rows, {{0, n}}, x), exact), limit);
    const auto halves = slices_between({0, n / 2 + 9, n});
    EXPECT_LE(nmse(support::product(family_, rows, halves, x), exact), limit);
}

INSTANTIATE_TEST_SUITE_P(Families, Multiply,
                         testing::Combine(testing::ValuesIn(usable_families()),
                                          testing::ValuesIn(quant::all_types)),
                         family_and_type_name);

} // namespace
} // namespace pillar::kernels
