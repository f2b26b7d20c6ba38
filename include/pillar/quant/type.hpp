#pragma once
// Tensor types by their number in GGUF files (ggml's enumeration): names, block sizes, and for the
// types that pillar computes with, the decoder of one block. A row of a tensor is a whole number of
// blocks.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pillar::quant {

/// The types pillar computes with. Values are ggml's type numbers.
enum class Type : std::uint32_t {
    f32 = 0,
    f16 = 1,
    q4_0 = 2,
    q4_1 = 3,
    q5_0 = 6,
    q5_1 = 7,
    q8_0 = 8,
    q2_k = 10,
    q3_k = 11,
    q4_k = 12,
    q5_k = 13,
    q6_k = 14,
    iq2_xxs = 16,
    iq2_xs = 17,
    iq3_xxs = 18,
    iq1_s = 19,
    iq4_nl = 20,
    iq3_s = 21,
    iq2_s = 22,
    iq4_xs = 23,
    iq1_m = 29,
    bf16 = 30,
    tq1_0 = 34,
    tq2_0 = 35,
    mxfp4 = 39,
    q1_0 = 41,
    q2_0 = 42,
};

/// All of them, in the order of their numbers.
inline constexpr Type all_types[] = {
    Type::f32,     Type::f16,   Type::q4_0,   Type::q4_1,  Type::q5_0,  Type::q5_1,    Type::q8_0,
    Type::q2_k,    Type::q3_k,  Type::q4_k,   Type::q5_k,  Type::q6_k,  Type::iq2_xxs, Type::iq2_xs,
    Type::iq3_xxs, Type::iq1_s, Type::iq4_nl, Type::iq3_s, Type::iq2_s, Type::iq4_xs,  Type::iq1_m,
    Type::bf16,    Type::tq1_0, Type::tq2_0,  Type::mxfp4, Type::q1_0,  Type::q2_0};

/// Decode one block to its `block_weights` values, exactly as the format defines them (f32
/// arithmetic in ggml's order).
using DecodeBlock = void (*)(const std::byte* block, float* weights);

/// What a file says about a type. Types that files may hold but pillar does not compute with have
/// decode == nullptr.
struct TypeInfo {
    std::uint32_t number;      ///< ggml's type number
    std::string_view name;     ///< as llama.cpp prints it: "f32", "q4_K", "iq4_xs"
    std::size_t block_weights; ///< weights a block, > 0
    std::size_t block_bytes;   ///< bytes a block, > 0
    DecodeBlock decode;        ///< nullptr: known, not supported
};

/// The type with this number; nullptr when the number is unknown or was removed from the format.
const TypeInfo* find_type(std::uint32_t number) noexcept;
const TypeInfo& info(Type type) noexcept;

/// True for f32, f16, bf16: multiplied with f32 activations, no blocks of scales.
constexpr bool is_float(Type type) noexcept {
    return type == Type::f32 || type == Type::f16 || type == Type::bf16;
}

/// True for the formats whose weights are points of a grid, looked up four or eight at a time.
/// Every family multiplies with them as the plain ones do: slowly.
[[gnu::always_inline]] constexpr bool is_grid(Type type) noexcept {
    return (type >= Type::iq2_xxs && type <= Type::iq1_s) || type == Type::iq3_s ||
           type == Type::iq2_s || type == Type::iq1_m;
}

/// Decode a row of n weights; n is a multiple of the type's block size, `row` holds their bytes.
void decode_row(Type type, std::span<const std::byte> row, std::span<float> weights);

} // namespace pillar::quant
