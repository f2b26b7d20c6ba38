// What packing for a family of x86 may cost: whole rows take as many bytes as in the file (TQ1_0
// as many as those of TQ2_0), a cut block of several scales or of one for many weights one more
// header.

#include "all_families.hpp"
#include "support/kernels/products.hpp"

namespace pillar::kernels {
namespace {

using support::even_slices;

class X86Packing : public testing::TestWithParam<std::tuple<const char*, quant::Type>> {
  protected:
    void SetUp() override {
        if (family_ == nullptr) GTEST_SKIP() << "this family is in binaries for x86-64 alone";
        if (!family_->supported())
            GTEST_SKIP() << "needs a CPU with " << family_->name << ", or qemu-x86_64-static -cpu";
    }
    [[nodiscard]] std::size_t bytes_of(std::size_t n_rows, std::size_t n_columns,
                                       const std::vector<Slice>& slices) const {
        return Matrix(*family_, {type_, n_rows, n_columns, slices}).size_bytes();
    }
    const Family* family_ = find_family(std::get<0>(GetParam()));
    const quant::Type type_ = std::get<1>(GetParam());
    /// As which the format lies in memory.
    const quant::TypeInfo& format_ =
        quant::info(type_ == quant::Type::tq1_0 ? quant::Type::tq2_0 : type_);
};

TEST_P(X86Packing, of_whole_rows_takes_the_bytes_of_the_file) {
    const std::size_t n = 2048;
    EXPECT_EQ(bytes_of(64, n, {{0, n}}), 64 * n / format_.block_weights * format_.block_bytes);
}

TEST_P(X86Packing, of_8_slices_at_super_blocks_takes_the_bytes_of_the_file) {
    const std::size_t n = 4096;
    EXPECT_EQ(bytes_of(32, n, even_slices(n / 256, 256, 8)),
              32 * n / format_.block_weights * format_.block_bytes);
}

TEST_P(X86Packing, of_cut_super_blocks_adds_a_tenth_at_most) {
    const std::size_t n = 8192; // feed-forward of Llama-3.2 in 8 slices, cut at sub-blocks
    const double file = static_cast<double>(32 * n / format_.block_weights * format_.block_bytes);
    const auto slices = support::slices_between({0, 1056, 2016, 3104, 4096, 5152, 6176, 7136, n});
    EXPECT_LE(static_cast<double>(bytes_of(32, n, slices)), 1.10 * file);
}

INSTANTIATE_TEST_SUITE_P(Types, X86Packing,
                         testing::Combine(testing::Values("avx2", "avxvnni", "avx512"),
                                          testing::ValuesIn(quant::all_types)),
                         [](const testing::TestParamInfo<X86Packing::ParamType>& param) {
                             return std::string(std::get<0>(param.param)) + "_" +
                                    std::string(quant::info(std::get<1>(param.param)).name);
                         });

} // namespace
} // namespace pillar::kernels
