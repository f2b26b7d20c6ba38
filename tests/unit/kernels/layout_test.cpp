// How slices, blocks and groups count.

#include "all_families.hpp"
#include "support/kernels/products.hpp"

#include <gtest/gtest.h>

namespace pillar::kernels {
namespace {

using support::slices_between;

TEST(Slice, is_rounded_outward_to_blocks_of_32) {
    EXPECT_EQ((Slice{0, 32}).n_blocks(), 1u);
    EXPECT_EQ((Slice{0, 33}).n_blocks(), 2u);
    EXPECT_EQ((Slice{80, 160}).n_blocks(), 3u); // 64…160
    EXPECT_EQ((Slice{80, 160}).first_block(), 2u);
    EXPECT_EQ((Slice{31, 33}).n_blocks(), 2u);
    EXPECT_EQ((Slice{40, 41}).n_blocks(), 1u);
    EXPECT_EQ((Slice{40, 40}).n_blocks(), 0u);
}

TEST(ActivationLayout, gives_shared_blocks_to_both_slices_and_none_to_empty_ones) {
    const auto slices = slices_between({80, 160, 160, 240, 320});
    const ActivationLayout layout(slices);
    EXPECT_EQ(layout.origin, 80u);
    EXPECT_EQ(layout.length, 240u);
    EXPECT_EQ(layout.block_begin, (std::vector<std::size_t>{0, 3, 3, 6, 9}));
    EXPECT_EQ(layout.n_blocks, 9u); // 240…256 lies in two slices
}

TEST(Activations, have_room_for_every_column) {
    const auto slices = slices_between({80, 160, 160, 240, 325});
    const Activations x(ActivationLayout(slices), 5, 4);
    EXPECT_EQ(x.x_stride, 256u);
    EXPECT_EQ(x.x.size(), 5 * 256u);
    EXPECT_EQ(x.q.size(), 5 * x.layout.n_blocks * 32);
    EXPECT_EQ(x.scale.size(), 5 * x.layout.n_blocks);
    EXPECT_EQ(x.sum.size(), 5 * x.layout.n_blocks);
    EXPECT_EQ(x.half_sum.size(), 10 * x.layout.n_blocks);
}

TEST(Activations, lie_in_panels_block_after_block) {
    Activations x(ActivationLayout(slices_between({0, 96})), 11, 4); // 3 blocks
    EXPECT_EQ(x.n_columns(), 11u);
    x.set_columns(6); // panels of 4 and 2
    EXPECT_EQ(x.block_at(0, 0), 0u);
    EXPECT_EQ(x.block_at(3, 0), 3u);
    EXPECT_EQ(x.block_at(0, 1), 4u);
    EXPECT_EQ(x.block_at(3, 2), 11u);
    EXPECT_EQ(x.block_at(4, 0), 12u);
    EXPECT_EQ(x.block_at(5, 0), 13u);
    EXPECT_EQ(x.block_at(4, 1), 14u);
    EXPECT_EQ(x.block_at(5, 2), 17u);
    x.set_columns(1); // a contiguous vector
    for (std::size_t b = 0; b < 3; ++b) EXPECT_EQ(x.block_at(0, b), b);
}

TEST(ActivationsDeathTest, refuse_more_columns_than_there_is_room_for) {
    Activations x(ActivationLayout(slices_between({0, 96})), 2, 4);
    EXPECT_DEATH(x.set_columns(3), "room for the columns");
}

TEST(MatrixShape, asks_for_the_file_blocks_that_cover_its_slices) {
    MatrixShape shape{quant::Type::q4_k, 4, 1024, slices_between({240, 480, 520})};
    EXPECT_EQ(shape.file_blocks().first, 0u);
    EXPECT_EQ(shape.file_blocks().count, 3u);
    shape.slices = slices_between({256, 512});
    EXPECT_EQ(shape.file_blocks().first, 1u);
    EXPECT_EQ(shape.file_blocks().count, 1u);
    shape.slices = slices_between({300, 300, 300, 300, 300});
    EXPECT_EQ(shape.file_blocks().count, 0u);
    shape.type = quant::Type::q4_0;
    shape.slices = slices_between({80, 160});
    EXPECT_EQ(shape.file_blocks().first, 2u);
    EXPECT_EQ(shape.file_blocks().count, 3u);
    shape.type = quant::Type::f16;
    EXPECT_EQ(shape.file_blocks().first, 80u);
    EXPECT_EQ(shape.file_blocks().count, 80u);
}

TEST(Matrix, of_a_rank_that_owns_nothing_holds_nothing) {
    for (const Family* family : usable_families()) {
        const Matrix no_columns(*family, {quant::Type::q8_0, 64, 256, slices_between({96, 96})});
        EXPECT_EQ(no_columns.size_bytes(), 0u) << family->name;
        const Matrix no_rows(*family, {quant::Type::q8_0, 0, 256, slices_between({0, 256})});
        EXPECT_EQ(no_rows.n_groups(), 0u) << family->name;
    }
}

TEST(Matrix, of_a_plain_family_holds_the_bytes_of_the_file) {
    const support::Rows rows = support::random_rows(quant::Type::q5_k, 3, 768, 1);
    const Matrix m = support::pack(*find_family("integer"), rows, slices_between({300, 500}), 0, 3);
    ASSERT_EQ(m.n_groups(), 3u);
    ASSERT_EQ(m.group_bytes(), 176u); // one super-block
    for (std::size_t r = 0; r < 3; ++r)
        EXPECT_EQ(std::memcmp(m.group(r), rows.row(r) + 176, 176), 0);
}

TEST(Matrix, may_lie_in_memory_of_another) {
    const support::Rows rows = support::random_rows(quant::Type::q4_0, 37, 96, 2);
    for (const Family* family : usable_families()) {
        const Matrix alone = support::pack(*family, rows, slices_between({0, 96}), 0, 37);
        const std::size_t size = Matrix::packed_bytes(*family, alone.shape());
        EXPECT_EQ(size % 64, 0u) << family->name;
        EXPECT_GE(size, alone.size_bytes()) << family->name;
        EXPECT_LT(size, alone.size_bytes() + 64) << family->name;
        AlignedBuffer<std::byte> memory(2 * size);
        Matrix second(*family, alone.shape(), memory.span().subspan(size));
        EXPECT_EQ(second.size_bytes(), alone.size_bytes()) << family->name;
        EXPECT_EQ(second.group(0), memory.data() + size) << family->name;
    }
}

TEST(MatrixDeathTest, refuses_slices_that_break_the_contract) {
    const Family& family = *find_family("integer");
    const auto make = [&](quant::Type type, std::size_t n,
                          const std::vector<std::size_t>& borders) {
        const Matrix m(family, {type, 1, n, slices_between(borders)});
    };
    EXPECT_DEATH(make(quant::Type::q8_0, 256, {0, 32, 64, 96}), "power of two");
    EXPECT_DEATH(make(quant::Type::q8_0, 256, {0, 288}), "within the row");
    EXPECT_DEATH(make(quant::Type::q4_k, 288, {0, 288}), "whole blocks");
    EXPECT_DEATH(make(quant::Type::q8_0, 256, {64, 32}), "adjacent");
    AlignedBuffer<std::byte> small(271);
    EXPECT_DEATH(
        Matrix(family, {quant::Type::q8_0, 1, 256, slices_between({0, 256})}, small.span()),
        "room");
}

} // namespace
} // namespace pillar::kernels
