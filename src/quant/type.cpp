// The table of tensor types. Numbers and sizes are ggml's, names as llama.cpp prints them.

#include "pillar/quant/type.hpp"

#include "decode.hpp"

#include <array>

namespace pillar::quant {

namespace {

struct Entry {
    std::uint32_t number;
    std::string_view name;
    std::size_t block_weights;
    std::size_t block_bytes;
};

// Missing: 4, 5 (Q4_2, Q4_3), 31–33 (Q4_0 interleaved), 36–38 (IQ4_NL interleaved), removed from
// ggml.
constexpr Entry entries[] = {
    {0, "f32", 1, 4},         {1, "f16", 1, 2},         {2, "q4_0", 32, 18},
    {3, "q4_1", 32, 20},      {6, "q5_0", 32, 22},      {7, "q5_1", 32, 24},
    {8, "q8_0", 32, 34},      {9, "q8_1", 32, 36},      {10, "q2_K", 256, 84},
    {11, "q3_K", 256, 110},   {12, "q4_K", 256, 144},   {13, "q5_K", 256, 176},
    {14, "q6_K", 256, 210},   {15, "q8_K", 256, 292},   {16, "iq2_xxs", 256, 66},
    {17, "iq2_xs", 256, 74},  {18, "iq3_xxs", 256, 98}, {19, "iq1_s", 256, 50},
    {20, "iq4_nl", 32, 18},   {21, "iq3_s", 256, 110},  {22, "iq2_s", 256, 82},
    {23, "iq4_xs", 256, 136}, {24, "i8", 1, 1},         {25, "i16", 1, 2},
    {26, "i32", 1, 4},        {27, "i64", 1, 8},        {28, "f64", 1, 8},
    {29, "iq1_m", 256, 56},   {30, "bf16", 1, 2},       {34, "tq1_0", 256, 54},
    {35, "tq2_0", 256, 66},   {39, "mxfp4", 32, 17},    {40, "nvfp4", 64, 36},
    {41, "q1_0", 128, 18},    {42, "q2_0", 64, 18},
};
constexpr std::size_t n_entries = std::size(entries);

constexpr bool is_computed_with(std::uint32_t number) {
    for (const Type type : all_types)
        if (static_cast<std::uint32_t>(type) == number) return true;
    return false;
}

const std::array<TypeInfo, n_entries>& table() noexcept {
    static const auto infos = [] {
        std::array<TypeInfo, n_entries> all{};
        for (std::size_t i = 0; i < n_entries; ++i) {
            const Entry& e = entries[i];
            const bool known = is_computed_with(e.number);
            all[i] = {e.number, e.name, e.block_weights, e.block_bytes,
                      known ? decoder_of(static_cast<Type>(e.number)) : nullptr};
        }
        return all;
    }();
    return infos;
}

} // namespace

const TypeInfo* find_type(std::uint32_t number) noexcept {
    for (const TypeInfo& type : table())
        if (type.number == number) return &type;
    return nullptr;
}

const TypeInfo& info(Type type) noexcept {
    return *find_type(static_cast<std::uint32_t>(type));
}

} // namespace pillar::quant
