// Products and quantised activations against results of rational arithmetic (tests/data/products).

#include "all_families.hpp"
#include "bits.hpp"
#include "hexadecimal.hpp"
#include "support/kernels/products.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace pillar::kernels {
namespace {

struct Case {
    std::vector<std::size_t> borders;
    std::vector<float> integer;
    std::vector<float> reference;
};

struct Truth {
    std::vector<std::byte> weights;
    std::vector<float> x;
    std::vector<Case> cases;
};

Truth truth_for(quant::Type type) {
    std::ifstream file(PILLAR_TEST_DATA "/products/products.txt");
    Truth truth;
    bool wanted = false;
    std::string line;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string key;
        std::string value;
        words >> key;
        if (key == "slices") {
            if (wanted) truth.cases.emplace_back();
            for (std::size_t border = 0; words >> border;)
                if (wanted) truth.cases.back().borders.push_back(border);
            continue;
        }
        words >> value;
        if (key == "type") wanted = value == quant::info(type).name;
        if (!wanted) continue;
        if (key == "weights") truth.weights = from_hex<std::byte>(value);
        if (key == "x") truth.x = from_hex<float>(value);
        if (key == "integer") truth.cases.back().integer = from_hex<float>(value);
        if (key == "reference") truth.cases.back().reference = from_hex<float>(value);
    }
    return truth;
}

using ExactProducts = EachFamilyAndType;

TEST_P(ExactProducts, have_the_bits_of_rational_arithmetic_for_every_cut) {
    const Truth truth = truth_for(type_);
    ASSERT_EQ(truth.cases.size(), 4u);
    const support::Rows rows{type_, 2, truth.x.size(), truth.weights};
    for (const Case& c : truth.cases) {
        const std::vector<float> y = support::product(
            family_, rows, support::slices_between(c.borders), {1, truth.x.size(), truth.x});
        EXPECT_TRUE(same_bits(y, family_.float_activations ? c.reference : c.integer))
            << c.borders.size() - 1 << " slices from " << c.borders.front();
    }
}

INSTANTIATE_TEST_SUITE_P(Families, ExactProducts,
                         testing::Combine(testing::ValuesIn(usable_families()),
                                          testing::ValuesIn(quant::all_types)),
                         family_and_type_name);

using ExactQuantization = EachFamily;

TEST_P(ExactQuantization, has_the_bits_of_rational_arithmetic) {
    std::ifstream file(PILLAR_TEST_DATA "/products/quantize.txt");
    std::string key;
    std::string value;
    const Slice whole{0, block_size};
    std::size_t n_blocks = 0;
    while (file >> key >> value) {
        ASSERT_EQ(key, "x");
        const std::vector<float> block = from_hex<float>(value);
        file >> key >> value;
        const std::vector<float> dx = from_hex<float>(value);
        file >> key >> value;
        const std::vector<std::int8_t> q = from_hex<std::int8_t>(value);
        Activations x(ActivationLayout({&whole, 1}), 1, family_.panel_columns);
        std::copy(block.begin(), block.end(), x.column(0));
        family_.quantize(x, 0, 0, 1);
        EXPECT_TRUE(same_bits(x.scale, dx)) << "block " << n_blocks;
        EXPECT_TRUE(std::equal(q.begin(), q.end(), x.q.data())) << "block " << n_blocks;
        const int first = std::accumulate(q.begin(), q.begin() + 16, 0);
        EXPECT_EQ(x.sum[0], std::accumulate(q.begin(), q.end(), 0));
        EXPECT_EQ(x.half_sum[0], first);
        EXPECT_EQ(x.half_sum[1], x.sum[0] - first);
        ++n_blocks;
    }
    EXPECT_EQ(n_blocks, 18u);
}

INSTANTIATE_TEST_SUITE_P(Families, ExactQuantization, testing::ValuesIn(usable_families()),
                         family_name);

} // namespace
} // namespace pillar::kernels
