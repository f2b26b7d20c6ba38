// Each role has its rule; what the rules have in common is that the first and last eighth of the
// layers, and every third between them, may have more bits.

#include "pillar/quant/mix.hpp"

#include <algorithm>
#include <cctype>

namespace pillar::quant {

namespace {

constexpr MixInfo table[] = {
    {Mix::f32, "f32", "F32", 0, Type::f32},
    {Mix::f16, "f16", "F16", 1, Type::f16},
    {Mix::bf16, "bf16", "BF16", 32, Type::bf16},
    {Mix::q4_0, "q4_0", "Q4_0", 2, Type::q4_0},
    {Mix::q4_1, "q4_1", "Q4_1", 3, Type::q4_1},
    {Mix::q5_0, "q5_0", "Q5_0", 8, Type::q5_0},
    {Mix::q5_1, "q5_1", "Q5_1", 9, Type::q5_1},
    {Mix::q8_0, "q8_0", "Q8_0", 7, Type::q8_0},
    {Mix::q2_k, "q2_k", "Q2_K", 10, Type::q2_k},
    {Mix::q3_k_s, "q3_k_s", "Q3_K_S", 11, Type::q3_k},
    {Mix::q3_k_m, "q3_k_m", "Q3_K_M", 12, Type::q3_k},
    {Mix::q3_k_l, "q3_k_l", "Q3_K_L", 13, Type::q3_k},
    {Mix::q4_k_s, "q4_k_s", "Q4_K_S", 14, Type::q4_k},
    {Mix::q4_k_m, "q4_k_m", "Q4_K_M", 15, Type::q4_k},
    {Mix::q5_k_s, "q5_k_s", "Q5_K_S", 16, Type::q5_k},
    {Mix::q5_k_m, "q5_k_m", "Q5_K_M", 17, Type::q5_k},
    {Mix::q6_k, "q6_k", "Q6_K", 18, Type::q6_k},
    {Mix::iq4_nl, "iq4_nl", "IQ4_NL", 25, Type::iq4_nl},
    {Mix::iq4_xs, "iq4_xs", "IQ4_XS", 30, Type::iq4_xs},
    {Mix::iq3_m, "iq3_m", "IQ3_M", 27, Type::iq3_s},
    {Mix::tq1_0, "tq1_0", "TQ1_0", 36, Type::tq1_0},
    {Mix::tq2_0, "tq2_0", "TQ2_0", 37, Type::tq2_0},
    {Mix::mxfp4, "mxfp4", "MXFP4", 38, Type::mxfp4},
    {Mix::q1_0, "q1_0", "Q1_0", 40, Type::q1_0},
    {Mix::q2_0, "q2_0", "Q2_0", 41, Type::q2_0},
};

bool divides(Type type, std::size_t n_columns) noexcept {
    return n_columns % info(type).block_weights == 0;
}

constexpr bool has_more_bits(std::size_t layer, std::size_t n_layers) noexcept {
    const std::size_t eighth = n_layers / 8;
    return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

/// Of 8 experts the matrices of attention are a small part (Mixtral): bits cost little.
constexpr bool has_8_experts(const MixModel& model) noexcept {
    return model.n_experts == 8;
}

Type attention_v_of_mix(Mix mix, Type base, std::size_t layer, const MixModel& model) noexcept {
    const bool shared = model.heads_per_kv_head >= 4; // small matrices: bits cost little
    switch (mix) {
    case Mix::q2_k:
        return shared ? Type::q4_k : Type::q3_k;
    case Mix::q3_k_m:
        return layer < 2 ? Type::q5_k : Type::q4_k;
    case Mix::q3_k_l:
        return Type::q5_k;
    case Mix::iq3_m:
        return Type::q4_k;
    case Mix::q4_k_s:
        return layer < 4 ? Type::q5_k : base;
    case Mix::q4_k_m:
    case Mix::q5_k_m:
        return has_more_bits(layer, model.n_layers) ? Type::q6_k : base;
    case Mix::iq4_nl:
    case Mix::iq4_xs:
        return shared ? Type::q5_k : base;
    default:
        return base;
    }
}

Type attention_v_type(Mix mix, Type base, std::size_t layer, const MixModel& model) noexcept {
    if (has_8_experts(model)) return Type::q8_0;
    const Type type = attention_v_of_mix(mix, base, layer, model);
    return model.is_70b && (type == Type::q3_k || type == Type::q4_k) ? Type::q5_k : type;
}

/// As in the files that users have; newer versions of llama.cpp treat the fused matrix as v.
Type attention_qkv_type(Mix mix, Type base) noexcept {
    switch (mix) {
    case Mix::q3_k_m:
    case Mix::q3_k_l:
    case Mix::iq3_m:
        return Type::q4_k;
    case Mix::q4_k_m:
        return Type::q5_k;
    case Mix::q5_k_m:
        return Type::q6_k;
    default:
        return base;
    }
}

Type attention_output_type(Mix mix, Type base, const MixModel& model) noexcept {
    if (has_8_experts(model)) {
        constexpr Mix with_5_bits[] = {Mix::q2_k,   Mix::q3_k_s, Mix::q3_k_m, Mix::q4_k_s,
                                       Mix::q4_k_m, Mix::iq4_nl, Mix::iq4_xs, Mix::iq3_m};
        return std::ranges::find(with_5_bits, mix) == std::end(with_5_bits) ? base : Type::q5_k;
    }
    switch (mix) {
    case Mix::q2_k:
        return Type::q3_k;
    case Mix::q3_k_m:
    case Mix::iq3_m:
        return Type::q4_k;
    case Mix::q3_k_l:
        return Type::q5_k;
    default:
        return base;
    }
}

Type ffn_down_type(Mix mix, Type base, std::size_t layer, const MixModel& model) noexcept {
    const std::size_t n_layers = model.n_layers;
    const bool is_in_first_eighth = layer < n_layers / 8;
    switch (mix) {
    case Mix::q4_0: // a few columns dominate the first layers; an importance matrix shows them
        return model.has_importance && is_in_first_eighth ? Type::q4_1 : base;
    case Mix::q5_0:
        return model.has_importance && is_in_first_eighth ? Type::q5_1 : base;
    case Mix::q2_k:
        return Type::q3_k;
    case Mix::q3_k_m:
        return layer < n_layers / 16 ? Type::q5_k : Type::q4_k;
    case Mix::q3_k_l:
        return Type::q5_k;
    case Mix::q4_k_s:
        return is_in_first_eighth ? Type::q5_k : base;
    case Mix::iq4_nl:
    case Mix::iq4_xs:
        return is_in_first_eighth && !model.has_importance ? Type::q5_k : base;
    case Mix::iq3_m:
        return is_in_first_eighth ? Type::q4_k : base;
    case Mix::q4_k_m:
    case Mix::q5_k_m:
        return has_more_bits(layer, n_layers) ? Type::q6_k : base;
    default:
        return base;
    }
}

/// The output matrix, also when it serves as the embedding.
Type output_type(Type base, std::size_t n_columns) noexcept {
    if (base == Type::q1_0 || base == Type::q2_0) return base; // trained so, this matrix as well
    if (base == Type::q8_0 || base == Type::mxfp4 || !divides(base, n_columns)) return Type::q8_0;
    return Type::q6_k;
}

/// The embedding of a model that has an output matrix.
Type embedding_type(Type base) noexcept {
    switch (base) {
    case Type::tq1_0:
    case Type::tq2_0:
        return Type::q4_k;
    case Type::mxfp4:
        return Type::q8_0;
    default:
        return base;
    }
}

Type wanted_type(Mix mix, Type base, MatrixRole role, std::size_t layer, std::size_t n_columns,
                 const MixModel& model) noexcept {
    const bool is_feed_forward =
        role == MatrixRole::ffn_gate || role == MatrixRole::ffn_up || role == MatrixRole::ffn_down;
    if (base == Type::mxfp4 && model.n_experts > 0) // trained so: the experts alone
        return is_feed_forward ? base : Type::q8_0;
    switch (role) {
    case MatrixRole::token_embedding:
        return model.tied ? output_type(base, n_columns) : embedding_type(base);
    case MatrixRole::output:
        return output_type(base, n_columns);
    case MatrixRole::attention_v:
        return attention_v_type(mix, base, layer, model);
    case MatrixRole::attention_qkv:
        return attention_qkv_type(mix, base);
    case MatrixRole::attention_output:
        return attention_output_type(mix, base, model);
    case MatrixRole::ffn_down:
        return ffn_down_type(mix, base, layer, model);
    case MatrixRole::attention_k:
        return has_8_experts(model) ? Type::q8_0 : base;
    case MatrixRole::attention_q:
    case MatrixRole::ffn_gate:
    case MatrixRole::ffn_up:
        break;
    }
    return base;
}

/// What takes the place of a format whose 256, 128 or 64 weights do not divide the row.
Type small_block_type(Type type) noexcept {
    switch (type) {
    case Type::q2_k:
    case Type::q3_k:
    case Type::tq1_0:
    case Type::tq2_0:
    case Type::q1_0:
    case Type::q2_0:
        return Type::q4_0;
    case Type::q4_k:
        return Type::q5_0;
    case Type::q5_k:
        return Type::q5_1;
    case Type::q6_k:
        return Type::q8_0;
    case Type::iq4_xs:
    case Type::iq3_s:
        return Type::iq4_nl;
    default:
        return type;
    }
}

} // namespace

std::span<const MixInfo> mixes() noexcept {
    return table;
}

const MixInfo& info(Mix mix) noexcept {
    return *std::ranges::find(table, mix, &MixInfo::mix);
}

const MixInfo* find_mix(std::string_view name) noexcept {
    const auto equal = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    };
    for (const MixInfo& entry : table)
        if (std::ranges::equal(name, entry.name, equal)) return &entry;
    return nullptr;
}

const MixInfo* find_mix(std::uint32_t file_type) noexcept {
    const auto* place = std::ranges::find(table, file_type, &MixInfo::file_type);
    return place == std::end(table) ? nullptr : place;
}

Type type_in(Mix mix, MatrixRole role, std::size_t layer, std::size_t n_columns,
             const MixModel& model) noexcept {
    const Type base = info(mix).base;
    if (is_float(base)) return base;
    return fitting_type(wanted_type(mix, base, role, layer, n_columns, model), n_columns);
}

Type fitting_type(Type type, std::size_t n_columns) noexcept {
    if (!divides(type, n_columns)) type = small_block_type(type);
    return divides(type, n_columns) ? type : Type::f16;
}

} // namespace pillar::quant
