// The type mixes against files that llama.cpp made (tensor lists as published with them) and its
// rules for widths that super-blocks do not divide. Sizes of whole models are tested with the
// synthetic ones.

#include "pillar/quant/mix.hpp"

#include <gtest/gtest.h>
#include <set>

namespace pillar::quant {
namespace {

constexpr MixModel llama_3_2_1b{.n_layers = 16, .heads_per_kv_head = 4, .tied = true};
constexpr MixModel llama_2_7b{.n_layers = 32, .heads_per_kv_head = 1, .tied = false};

std::set<std::size_t> layers_with(Type type, Mix mix, MatrixRole role, const MixModel& model) {
    std::set<std::size_t> layers;
    for (std::size_t layer = 0; layer < model.n_layers; ++layer)
        if (type_in(mix, role, layer, 4096, model) == type) layers.insert(layer);
    return layers;
}

TEST(type_mix, q4_k_m_has_q6_k_where_the_published_files_have_it) {
    const std::set<std::size_t> in_1b = {0, 1, 4, 7, 10, 13, 14, 15};
    const std::set<std::size_t> in_7b = {0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31};
    for (const MatrixRole role : {MatrixRole::attention_v, MatrixRole::ffn_down}) {
        EXPECT_EQ(layers_with(Type::q6_k, Mix::q4_k_m, role, llama_3_2_1b), in_1b);
        EXPECT_EQ(layers_with(Type::q6_k, Mix::q4_k_m, role, llama_2_7b), in_7b);
        EXPECT_EQ(layers_with(Type::q6_k, Mix::q5_k_m, role, llama_2_7b), in_7b);
    }
    for (const MatrixRole role : {MatrixRole::attention_q, MatrixRole::attention_k,
                                  MatrixRole::attention_output, MatrixRole::ffn_gate})
        EXPECT_EQ(layers_with(Type::q4_k, Mix::q4_k_m, role, llama_2_7b).size(), 32u);
}

/// Mixtral: the small matrices of attention have 8 bits, its output 5 in most mixes.
TEST(type_mix, spends_bits_on_the_attention_of_8_experts) {
    const MixModel mixtral{.n_layers = 32, .heads_per_kv_head = 4, .n_experts = 8};
    const auto type = [&](Mix mix, MatrixRole role) {
        return type_in(mix, role, 8, 4096, mixtral);
    };
    for (const Mix mix : {Mix::q4_0, Mix::q2_k, Mix::q4_k_m, Mix::q6_k})
        for (const MatrixRole role : {MatrixRole::attention_k, MatrixRole::attention_v})
            EXPECT_EQ(type(mix, role), Type::q8_0);
    EXPECT_EQ(type(Mix::q4_k_m, MatrixRole::attention_output), Type::q5_k);
    EXPECT_EQ(type(Mix::q2_k, MatrixRole::attention_output), Type::q5_k);
    EXPECT_EQ(type(Mix::q4_0, MatrixRole::attention_output), Type::q4_0);
    EXPECT_EQ(type(Mix::q5_k_m, MatrixRole::attention_output), Type::q5_k);
    EXPECT_EQ(type(Mix::q4_k_m, MatrixRole::attention_q), Type::q4_k);
    EXPECT_EQ(type(Mix::q4_k_m, MatrixRole::ffn_down), Type::q4_k);
    EXPECT_EQ(type(Mix::f16, MatrixRole::attention_k), Type::f16);
    MixModel many = mixtral;
    many.n_experts = 128;
    EXPECT_EQ(type_in(Mix::q4_0, MatrixRole::attention_k, 8, 4096, many), Type::q4_0);
}

TEST(type_mix, keeps_the_output_finer_than_the_rest) {
    for (const MixInfo& mix : mixes()) {
        const Type output = type_in(mix.mix, MatrixRole::output, 0, 4096, llama_2_7b);
        const Type tied = type_in(mix.mix, MatrixRole::token_embedding, 0, 4096, llama_3_2_1b);
        const Type untied = type_in(mix.mix, MatrixRole::token_embedding, 0, 4096, llama_2_7b);
        const bool ternary = mix.base == Type::tq1_0 || mix.base == Type::tq2_0;
        EXPECT_EQ(untied, ternary                   ? Type::q4_k
                          : mix.base == Type::mxfp4 ? Type::q8_0
                                                    : mix.base)
            << mix.name;
        EXPECT_EQ(tied, output) << mix.name;
        const bool all_alike =
            is_float(mix.base) || mix.base == Type::q1_0 || mix.base == Type::q2_0;
        const bool of_8_bits = mix.base == Type::q8_0 || mix.base == Type::mxfp4;
        const Type expected = all_alike ? mix.base : of_8_bits ? Type::q8_0 : Type::q6_k;
        EXPECT_EQ(output, expected) << mix.name;
    }
}

TEST(type_mix, gives_way_where_super_blocks_do_not_fit) {
    const MixModel smollm{.n_layers = 30, .heads_per_kv_head = 3, .tied = true};
    const auto gate = [&](Mix mix, std::size_t width) {
        return type_in(mix, MatrixRole::ffn_gate, 9, width, smollm);
    };
    EXPECT_EQ(gate(Mix::q2_k, 576), Type::q4_0);
    EXPECT_EQ(gate(Mix::q3_k_s, 576), Type::q4_0);
    EXPECT_EQ(gate(Mix::q4_k_s, 576), Type::q5_0);
    EXPECT_EQ(gate(Mix::q5_k_s, 576), Type::q5_1);
    EXPECT_EQ(gate(Mix::q6_k, 576), Type::q8_0);
    EXPECT_EQ(gate(Mix::iq4_xs, 576), Type::iq4_nl);
    EXPECT_EQ(gate(Mix::tq2_0, 576), Type::q4_0);
    EXPECT_EQ(gate(Mix::q1_0, 576), Type::q4_0);
    EXPECT_EQ(gate(Mix::q1_0, 1152), Type::q1_0);
    EXPECT_EQ(gate(Mix::q2_0, 576), Type::q2_0);
    EXPECT_EQ(gate(Mix::q4_k_s, 1536), Type::q4_k);
    EXPECT_EQ(gate(Mix::q4_0, 100), Type::f16);
    EXPECT_EQ(gate(Mix::q6_k, 100), Type::f16);
    EXPECT_EQ(gate(Mix::f32, 100), Type::f32);
    EXPECT_EQ(type_in(Mix::q4_0, MatrixRole::token_embedding, 0, 576, smollm), Type::q8_0);
}

TEST(type_mix, gives_small_value_matrices_more_bits_where_heads_share_them) {
    const auto value = [](Mix mix, const MixModel& model) {
        return type_in(mix, MatrixRole::attention_v, 20, 4096, model);
    };
    MixModel shared = llama_2_7b;
    shared.heads_per_kv_head = 4;
    EXPECT_EQ(value(Mix::q2_k, shared), Type::q4_k);
    EXPECT_EQ(value(Mix::q2_k, llama_2_7b), Type::q3_k);
    EXPECT_EQ(value(Mix::iq4_xs, shared), Type::q5_k);
    EXPECT_EQ(value(Mix::iq4_xs, llama_2_7b), Type::iq4_xs);
}

/// As in a published IQ3_M of Llama-3.2-1B, whose tensors have 649,457,792 bytes.
TEST(type_mix, iq3_m_has_q4_k_where_the_published_files_have_it) {
    EXPECT_EQ(layers_with(Type::q4_k, Mix::iq3_m, MatrixRole::ffn_down, llama_3_2_1b),
              (std::set<std::size_t>{0, 1}));
    for (const MatrixRole role : {MatrixRole::attention_v, MatrixRole::attention_output})
        EXPECT_EQ(layers_with(Type::q4_k, Mix::iq3_m, role, llama_3_2_1b).size(), 16u);
    for (const MatrixRole role : {MatrixRole::attention_q, MatrixRole::ffn_gate})
        EXPECT_EQ(layers_with(Type::iq3_s, Mix::iq3_m, role, llama_3_2_1b).size(), 16u);
}

TEST(type_mix, is_found_by_name_and_by_file_type) {
    std::set<std::uint32_t> numbers;
    for (const MixInfo& mix : mixes()) {
        EXPECT_EQ(find_mix(mix.name), &mix);
        EXPECT_EQ(find_mix(mix.title), &mix);
        EXPECT_EQ(find_mix(mix.file_type), &mix);
        EXPECT_EQ(&info(mix.mix), &mix);
        numbers.insert(mix.file_type);
    }
    EXPECT_EQ(numbers.size(), mixes().size());
    EXPECT_EQ(find_mix("q4_k_m")->file_type, 15u); // LLAMA_FTYPE_MOSTLY_Q4_K_M
    EXPECT_EQ(find_mix("q1_0")->file_type, 40u);   // LLAMA_FTYPE_MOSTLY_Q1_0
    EXPECT_EQ(find_mix("q4_k"), nullptr);
    EXPECT_EQ(find_mix(""), nullptr);
    EXPECT_EQ(find_mix(1024u), nullptr);
}

} // namespace
} // namespace pillar::quant
