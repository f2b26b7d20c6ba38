// The table of types against ggml's own (names, block sizes as llama.cpp 0.3.36's library reports
// them).

#include "pillar/quant/formats.hpp"
#include "pillar/quant/type.hpp"

#include <gtest/gtest.h>
#include <set>

namespace {

using namespace pillar::quant;

TEST(TypeTable, knows_every_live_number_by_llama_cpps_name) {
    const std::pair<std::uint32_t, std::string_view> live[] = {
        {0, "f32"},     {1, "f16"},      {2, "q4_0"},   {3, "q4_1"},    {6, "q5_0"},
        {7, "q5_1"},    {8, "q8_0"},     {9, "q8_1"},   {10, "q2_K"},   {11, "q3_K"},
        {12, "q4_K"},   {13, "q5_K"},    {14, "q6_K"},  {15, "q8_K"},   {16, "iq2_xxs"},
        {17, "iq2_xs"}, {18, "iq3_xxs"}, {19, "iq1_s"}, {20, "iq4_nl"}, {21, "iq3_s"},
        {22, "iq2_s"},  {23, "iq4_xs"},  {24, "i8"},    {25, "i16"},    {26, "i32"},
        {27, "i64"},    {28, "f64"},     {29, "iq1_m"}, {30, "bf16"},   {34, "tq1_0"},
        {35, "tq2_0"},  {39, "mxfp4"},   {40, "nvfp4"}, {41, "q1_0"},   {42, "q2_0"}};
    for (const auto& [number, name] : live) {
        ASSERT_NE(find_type(number), nullptr) << name;
        EXPECT_EQ(find_type(number)->name, name);
        EXPECT_EQ(find_type(number)->number, number);
    }
}

TEST(TypeTable, has_no_entry_for_removed_or_unknown_numbers) {
    for (const std::uint32_t number : {4u, 5u, 31u, 32u, 33u, 36u, 37u, 38u, 43u, 1000u, ~0u})
        EXPECT_EQ(find_type(number), nullptr) << number;
}

TEST(TypeTable, gives_bits_a_weight_of_the_published_formats) {
    const std::pair<Type, double> published[] = {
        {Type::f32, 32},        {Type::f16, 16},         {Type::bf16, 16},
        {Type::q4_0, 4.5},      {Type::q4_1, 5},         {Type::q5_0, 5.5},
        {Type::q5_1, 6},        {Type::q8_0, 8.5},       {Type::q2_k, 2.625},
        {Type::q3_k, 3.4375},   {Type::q4_k, 4.5},       {Type::q5_k, 5.5},
        {Type::q6_k, 6.5625},   {Type::iq4_nl, 4.5},     {Type::iq4_xs, 4.25},
        {Type::tq1_0, 1.6875},  {Type::tq2_0, 2.0625},   {Type::mxfp4, 4.25},
        {Type::q1_0, 1.125},    {Type::q2_0, 2.25},      {Type::iq2_xxs, 2.0625},
        {Type::iq2_xs, 2.3125}, {Type::iq3_xxs, 3.0625}, {Type::iq1_s, 1.5625},
        {Type::iq3_s, 3.4375},  {Type::iq2_s, 2.5625},   {Type::iq1_m, 1.75}};
    for (const auto& [type, bits] : published) {
        const TypeInfo& t = info(type);
        EXPECT_EQ(8.0 * static_cast<double>(t.block_bytes) / static_cast<double>(t.block_weights),
                  bits)
            << t.name;
    }
}

TEST(TypeTable, decodes_what_pillar_computes_with_and_nothing_else) {
    std::set<std::uint32_t> decoded;
    for (std::uint32_t number = 0; number < 64; ++number) {
        const TypeInfo* type = find_type(number);
        if (type == nullptr) continue;
        EXPECT_GT(type->block_weights, 0u) << type->name;
        EXPECT_GT(type->block_bytes, 0u) << type->name;
        if (type->decode != nullptr) decoded.insert(number);
    }
    std::set<std::uint32_t> computed;
    for (const Type type : all_types) computed.insert(static_cast<std::uint32_t>(type));
    EXPECT_EQ(decoded, computed);
}

TEST(TypeTable, agrees_with_the_formats_about_sizes) {
    for (const Type type : all_types) {
        int n_visits = 0;
        with_format(type, [&](auto format) {
            ++n_visits;
            EXPECT_EQ(format.type, type);
            EXPECT_EQ(format.weights, info(type).block_weights) << info(type).name;
            EXPECT_EQ(format.bytes, info(type).block_bytes) << info(type).name;
            EXPECT_EQ(format.weights % sub_block_weights, 0u) << info(type).name;
        });
        EXPECT_EQ(n_visits, is_float(type) ? 0 : 1) << info(type).name;
    }
}

} // namespace
