// Norm, rotation, gate and attention against results of rational arithmetic (tests/data/vectors).

#include "all_families.hpp"
#include "bits.hpp"
#include "hexadecimal.hpp"
#include "support/kernels/attention.hpp"

#include <fstream>
#include <map>
#include <string>
#include <string_view>

namespace pillar::kernels {
namespace {

const std::vector<float>& truth(std::string_view name) {
    static const auto all = [] {
        std::ifstream file(PILLAR_TEST_DATA "/vectors/vectors.txt");
        std::map<std::string, std::vector<float>> values;
        std::string key;
        std::string digits;
        while (file >> key >> digits) values[key] = from_hex<float>(digits);
        return values;
    }();
    return all.at(std::string(name));
}

using ExactVectors = EachFamily;

TEST_P(ExactVectors, rms_norm_has_the_bits_of_rational_arithmetic) {
    const std::vector<float>& x = truth("norm_x");
    std::vector<float> out(x.size());
    family_.rms_norm(x.data(), truth("norm_weight").data(), x.size(), truth("norm_eps")[0],
                     out.data());
    EXPECT_TRUE(same_bits(out, truth("norm_out")));
}

TEST_P(ExactVectors, rope_has_the_bits_of_rational_arithmetic) {
    std::vector<float> head = truth("rope_head");
    family_.rope(head.data(), truth("rope_cosine").data(), truth("rope_sine").data(),
                 head.size() / 2);
    EXPECT_TRUE(same_bits(head, truth("rope_out")));
}

TEST_P(ExactVectors, swiglu_has_the_bits_of_rational_arithmetic) {
    const std::vector<float>& gate = truth("swiglu_gate");
    std::vector<float> out(gate.size());
    family_.swiglu(gate.data(), truth("swiglu_up").data(), gate.size(), out.data());
    EXPECT_TRUE(same_bits(out, truth("swiglu_out")));
}

TEST_P(ExactVectors, geglu_has_the_bits_of_rational_arithmetic) {
    const std::vector<float>& gate = truth("geglu_gate");
    std::vector<float> out(gate.size());
    family_.geglu(gate.data(), truth("geglu_up").data(), gate.size(), out.data());
    EXPECT_TRUE(same_bits(out, truth("geglu_out")));
}

TEST_P(ExactVectors, soft_cap_has_the_bits_of_rational_arithmetic) {
    std::vector<float> x = truth("cap_x");
    family_.soft_cap(x.data(), x.size(), truth("cap")[0]);
    EXPECT_TRUE(same_bits(x, truth("cap_out")));
}

TEST_P(ExactVectors, swiglu_clamped_has_the_bits_of_rational_arithmetic) {
    const std::vector<float>& gate = truth("swiglu_clamped_gate");
    std::vector<float> out(gate.size());
    family_.swiglu_clamped(gate.data(), truth("swiglu_clamped_up").data(), 1.702f, 7.0f,
                           gate.size(), out.data());
    EXPECT_TRUE(same_bits(out, truth("swiglu_clamped_out")));
}

TEST_P(ExactVectors, attention_has_the_bits_of_rational_arithmetic) {
    constexpr std::size_t head_dim = 10;
    for (const CacheType type : {CacheType::f32, CacheType::f16}) {
        const std::string kind = type == CacheType::f32 ? "f32" : "f16";
        std::vector<float> o[2];
        PartialAttention parts[2];
        for (std::size_t page = 0; page < 2; ++page) {
            const std::string name = kind + "_" + std::to_string(page) + "_";
            const std::vector<float>& keys = truth(name + "keys");
            const std::size_t n = keys.size() / head_dim;
            std::vector<std::byte> k(page_bytes(type, head_dim));
            std::vector<std::byte> v = k;
            for (std::size_t j = 0; j < n; ++j)
                support::store_kv(family_, keys.data() + j * head_dim,
                                  truth(name + "values").data() + j * head_dim, k.data(), v.data(),
                                  type, head_dim, j);
            o[page].resize(head_dim);
            parts[page] =
                support::attend_page(family_, truth(kind + "_query").data(), {k.data(), v.data()},
                                     type, head_dim, n, 0.3f, o[page].data());
            std::vector<float> part{parts[page].m, parts[page].l};
            part.insert(part.end(), o[page].begin(), o[page].end());
            EXPECT_TRUE(same_bits(part, truth(name + "part"))) << name;
        }
        family_.combine(parts[0], parts[1], head_dim);
        std::vector<float> combined{parts[0].m, parts[0].l};
        combined.insert(combined.end(), o[0].begin(), o[0].end());
        EXPECT_TRUE(same_bits(combined, truth(kind + "_combined"))) << kind;
        std::vector<float> out(head_dim);
        family_.finish_attention(parts[0], head_dim, out.data());
        EXPECT_TRUE(same_bits(out, truth(kind + "_out"))) << kind;
    }
}

INSTANTIATE_TEST_SUITE_P(Families, ExactVectors, testing::ValuesIn(usable_families()), family_name);

} // namespace
} // namespace pillar::kernels
