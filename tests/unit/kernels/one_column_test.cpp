// Products of one column with so many rows that a kernel may first make tables of the column.

#include "all_families.hpp"
#include "bits.hpp"
#include "support/kernels/products.hpp"

#include <array>

namespace pillar::kernels {
namespace {

using support::Columns;
using support::cuts_of;
using support::random_columns;
using support::random_rows;
using support::Rows;
using support::slices_between;

using OneColumn = EachFamilyAndType;

constexpr std::size_t unit = 256; ///< whole blocks of every format

TEST_P(OneColumn, gives_the_bits_of_its_twin_at_awkward_sizes) {
    constexpr std::size_t n = 3 * unit;
    for (const std::size_t n_rows : {127u, 128u, 129u, 203u}) {
        const Rows rows = random_rows(type_, n_rows, n, n_rows);
        const Columns x = random_columns(1, n, 200 + n_rows);
        for (const auto& slices : cuts_of(n))
            ASSERT_TRUE(same_bits(support::product(family_, rows, slices, x),
                                  support::product(twin_of(family_), rows, slices, x)))
                << n_rows << " rows, " << slices.size() << " slices";
    }
}

TEST_P(OneColumn, gives_the_bits_of_its_twin_with_extreme_activations) {
    constexpr std::size_t n = 2 * unit;
    Rows rows = random_rows(type_, 160, n, 5);
    for (const int kind : {0, 1, 2, 3}) {
        Columns x{1, n, std::vector<float>(n)};
        for (std::size_t i = 0; i < n; ++i)
            x.values[i] = std::array{127.0f, -127.0f, i % 2 == 0 ? 127.0f : -127.0f,
                                     i % 32 < 5 ? -127.0f : 127.0f}[static_cast<std::size_t>(kind)];
        if (type_ == quant::Type::q1_0) // and rows of one sign
            for (std::size_t i = 0; i < rows.bytes.size(); ++i) {
                const std::size_t row = i / rows.row_bytes();
                if (row % 3 < 2 && i % quant::info(type_).block_bytes >= 2)
                    rows.bytes[i] = row % 3 == 0 ? std::byte{0xFF} : std::byte{0x00};
            }
        EXPECT_TRUE(same_bits(support::product(family_, rows, {{0, n}}, x),
                              support::product(twin_of(family_), rows, {{0, n}}, x)))
            << kind;
    }
}

TEST_P(OneColumn, gives_the_bits_of_its_twin_over_long_rows) {
    if (quant::is_float(type_)) GTEST_SKIP() << "floats are not prepared";
    constexpr std::size_t n = 66 * unit; // 528 blocks: more tables than a kernel makes at once
    const Rows rows = random_rows(type_, 545, n, 43); // 18 groups of 32: more than a batch
    const Columns x = random_columns(1, n, 44);
    const auto slices = slices_between({96, 9000, n - 5});
    EXPECT_TRUE(same_bits(support::product(family_, rows, slices, x),
                          support::product(twin_of(family_), rows, slices, x)));
}

TEST_P(OneColumn, does_not_depend_on_groups_a_call) {
    constexpr std::size_t n = 2 * unit;
    const Rows rows = random_rows(type_, 300, n, 11);
    const Columns x = random_columns(1, n, 12);
    const std::vector<Slice> slices{{0, n}};
    const std::vector<float> whole = support::product(family_, rows, slices, x);
    const Matrix w = support::pack(family_, rows, slices, 0, rows.n_rows);
    const Activations a = support::activations_of(family_, slices, x);
    for (const std::size_t n_calls : {2u, 3u, 7u}) {
        std::vector<float> y(rows.n_rows, -1.0f);
        for (std::size_t t = 0; t < n_calls; ++t)
            multiply(w, a, y.data(), rows.n_rows, t * w.n_groups() / n_calls,
                     (t + 1) * w.n_groups() / n_calls);
        EXPECT_TRUE(same_bits(y, whole)) << n_calls << " calls";
    }
}

INSTANTIATE_TEST_SUITE_P(Families, OneColumn,
                         testing::Combine(testing::ValuesIn(usable_families()),
                                          testing::ValuesIn(quant::all_types)),
                         family_and_type_name);

} // namespace
} // namespace pillar::kernels
