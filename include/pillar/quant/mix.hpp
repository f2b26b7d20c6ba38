#pragma once
// The type mixes that files are named after: which block format each tensor of a "Q4_K_M" model
// has. The rules are llama.cpp's (llama_tensor_get_type), so that a file made here has the formats
// and the size that users know under the name.

#include "pillar/quant/type.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pillar::quant {

enum class Mix : std::uint8_t {
    f32,
    f16,
    bf16,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q2_k,
    q3_k_s,
    q3_k_m,
    q3_k_l,
    q4_k_s,
    q4_k_m,
    q5_k_s,
    q5_k_m,
    q6_k,
    iq4_nl,
    iq4_xs,
    iq3_m,
    tq1_0,
    tq2_0,
    mxfp4,
    q1_0,
    q2_0,
};

struct MixInfo {
    Mix mix;
    std::string_view name;       ///< as users write it: "q4_k_m"
    std::string_view title;      ///< as files are named: "Q4_K_M"
    std::uint32_t file_type = 0; ///< general.file_type
    Type base;                   ///< of most matrices
};

std::span<const MixInfo> mixes() noexcept;
const MixInfo& info(Mix mix) noexcept;
/// By name, in upper or lower case; nullptr when there is none.
const MixInfo* find_mix(std::string_view name) noexcept;
/// By general.file_type; nullptr when pillar does not know it.
const MixInfo* find_mix(std::uint32_t file_type) noexcept;

/// What a matrix is for. The fused matrices of some architectures have rules of their own.
enum class MatrixRole : std::uint8_t {
    token_embedding,
    output,
    attention_q,
    attention_k,
    attention_v,
    attention_qkv, ///< q, k and v in one
    attention_output,
    ffn_gate,
    ffn_up,
    ffn_down,
};

/// What the rules look at besides the matrix itself.
struct MixModel {
    std::size_t n_layers = 0;
    std::size_t heads_per_kv_head = 1;
    bool tied = false;           ///< the output matrix is the embedding
    std::size_t n_experts = 0;   ///< a layer; their matrices have the rules of one feed-forward's
    bool has_importance = false; ///< an importance matrix weights the errors
    bool is_70b =
        false; ///< 80 layers, many heads to a KV head: small value matrices in large models
};

/// The format of one matrix with rows of `n_columns`. `layer` counts from 0. A format whose blocks
/// do not divide the row gives way to one of 32 (K-quants) and that to f16.
Type type_in(Mix mix, MatrixRole role, std::size_t layer, std::size_t n_columns,
             const MixModel& model) noexcept;

/// `type` itself where its blocks divide a row of `n_columns`, else what takes its place: a format
/// of 32 (K-quants), or f16.
Type fitting_type(Type type, std::size_t n_columns) noexcept;

} // namespace pillar::quant
