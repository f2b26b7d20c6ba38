// What packing for AVX2 may cost: a whole row takes as many bytes as in the file, a cut super-block
// one more header.

#include "all_families.hpp"
#include "support/products.hpp"

namespace pillar::kernels {
namespace {

using support::even_slices;

class Avx2Packing : public testing::TestWithParam<quant::Type> {
  protected:
    void SetUp() override {
        if (family_ == nullptr) GTEST_SKIP() << "this binary has no avx2 family";
    }
    [[nodiscard]] std::size_t bytes_of(std::size_t n_rows, std::size_t n_columns,
                                       const std::vector<Slice>& slices) const {
        return Matrix(*family_, {type_, n_rows, n_columns, slices}).size_bytes();
    }
    const Family* family_ = find_family("avx2");
    const quant::Type type_ = GetParam();
    const quant::TypeInfo& format_ = quant::info(type_);
};

TEST_P(Avx2Packing, of_whole_rows_takes_the_bytes_of_the_file) {
    const std::size_t n = 2048;
    EXPECT_EQ(bytes_of(64, n, {{0, n}}), 64 * n / format_.block_weights * format_.block_bytes);
}

TEST_P(Avx2Packing, of_8_slices_at_super_blocks_takes_the_bytes_of_the_file) {
    const std::size_t n = 4096;
    EXPECT_EQ(bytes_of(32, n, even_slices(n / 256, 256, 8)),
              32 * n / format_.block_weights * format_.block_bytes);
}

TEST_P(Avx2Packing, of_cut_super_blocks_adds_a_tenth_at_most) {
    const std::size_t n = 8192; // feed-forward of Llama-3.2 in 8 slices, cut at sub-blocks
    const double file = static_cast<double>(32 * n / format_.block_weights * format_.block_bytes);
    const auto slices = support::slices_between({0, 1056, 2016, 3104, 4096, 5152, 6176, 7136, n});
    EXPECT_LE(static_cast<double>(bytes_of(32, n, slices)), 1.10 * file);
}

INSTANTIATE_TEST_SUITE_P(Types, Avx2Packing, testing::ValuesIn(quant::all_types),
                         [](const testing::TestParamInfo<quant::Type>& param) {
                             return std::string(quant::info(param.param).name);
                         });

} // namespace
} // namespace pillar::kernels
