#include "rules/tensor_names.hpp"

#include <algorithm>
#include <charconv>

namespace pillar::quantize {

namespace {

using quant::MatrixRole;

struct NamePart {
    std::string_view part;
    MatrixRole role;
};

/// The first that stands in a name counts. Fused query, key and value, and the compressed key and
/// value of some architectures, are treated as the value that is in them.
constexpr NamePart parts[] = {
    {"attn_qkv.weight", MatrixRole::attention_v},
    {"attn_kv_b.weight", MatrixRole::attention_v},
    {"attn_v.weight", MatrixRole::attention_v},
    {"attn_k.weight", MatrixRole::attention_k},
    {"attn_q.weight", MatrixRole::attention_q},
    {"attn_output.weight", MatrixRole::attention_output},
    {"ffn_up", MatrixRole::ffn_up},
    {"ffn_gate", MatrixRole::ffn_gate},
    {"ffn_down", MatrixRole::ffn_down},
};

/// What stands in the names of matrices that stay as they are.
constexpr std::string_view kept_parts[] = {"_norm.weight",
                                           "ffn_gate_inp.weight",
                                           "ffn_gate_tid2eid.weight",
                                           "altup",
                                           "laurel",
                                           "per_layer_model_proj",
                                           "ssm_conv1d",
                                           "shortconv.conv.weight",
                                           "indexer.k_proj.weight",
                                           "indexer.q_proj.weight",
                                           "time_mix_first.weight",
                                           "time_mix_w0.weight",
                                           "time_mix_w1.weight",
                                           "time_mix_w2.weight",
                                           "time_mix_v0.weight",
                                           "time_mix_v1.weight",
                                           "time_mix_v2.weight",
                                           "time_mix_a0.weight",
                                           "time_mix_a1.weight",
                                           "time_mix_a2.weight",
                                           "time_mix_g1.weight",
                                           "time_mix_g2.weight",
                                           "time_mix_decay_w1.weight",
                                           "time_mix_decay_w2.weight",
                                           "time_mix_lerp_fused.weight",
                                           "attn_rel_b.weight",
                                           ".position_embd",
                                           "sam.pos_embd",
                                           "sam.neck.",
                                           "sam.net_",
                                           ".rel_pos",
                                           ".patch_embd",
                                           ".patch_merger",
                                           "a.rvq.codebook",
                                           "mm.a.code_embd"};
constexpr std::string_view kept_names[] = {"position_embd.weight", "token_types.weight"};

/// Dimensions without the last ones of 1, which mean nothing.
std::size_t n_dimensions(const gguf::TensorInfo& tensor) noexcept {
    std::size_t n = tensor.shape.size();
    while (n > 1 && tensor.shape[n - 1] == 1) --n;
    return n;
}

} // namespace

std::optional<MatrixRole> role_of(std::string_view name) noexcept {
    if (name == "output.weight") return MatrixRole::output;
    if (name == "token_embd.weight" || name == "per_layer_token_embd.weight")
        return MatrixRole::token_embedding;
    for (const auto& [part, role] : parts)
        if (name.find(part) != std::string_view::npos) return role;
    return std::nullopt;
}

bool is_quantised(const gguf::TensorInfo& tensor) noexcept {
    const std::string_view name = tensor.name;
    return n_dimensions(tensor) >= 2 && name.ends_with("weight") &&
           std::ranges::find(kept_names, name) == std::end(kept_names) &&
           std::ranges::none_of(kept_parts, [&](std::string_view part) {
               return name.find(part) != std::string_view::npos;
           });
}

std::optional<std::size_t> layer_of(std::string_view name) noexcept {
    constexpr std::string_view start = "blk.";
    if (!name.starts_with(start)) return std::nullopt;
    const char* const begin = name.data() + start.size();
    const char* const end = name.data() + name.size();
    std::size_t layer = 0;
    const auto [after, error] = std::from_chars(begin, end, layer);
    if (error != std::errc{} || after == end || *after != '.') return std::nullopt;
    return layer;
}

} // namespace pillar::quantize
