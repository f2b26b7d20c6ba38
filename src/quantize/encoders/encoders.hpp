#pragma once
// The functions of a family. Included once for each instruction set: `Set`, a type of that source's
// own, keeps what is compiled there apart.

#include "encoders/error_weights.hpp"
#include "encoders/family.hpp"
#include "encoders/low_bit/q1_0.hpp"
#include "encoders/low_bit/q2_0.hpp"
#include "encoders/low_bit/tq1_0.hpp"
#include "encoders/low_bit/tq2_0.hpp"
#include "encoders/plain/floats.hpp"
#include "encoders/plain/iq4_nl.hpp"
#include "encoders/plain/mxfp4.hpp"
#include "encoders/plain/q4_0.hpp"
#include "encoders/plain/q4_1.hpp"
#include "encoders/plain/q5_0.hpp"
#include "encoders/plain/q5_1.hpp"
#include "encoders/plain/q8_0.hpp"
#include "encoders/super/iq4_xs.hpp"
#include "encoders/super/q2_k.hpp"
#include "encoders/super/q3_k.hpp"
#include "encoders/super/q4_k.hpp"
#include "encoders/super/q5_k.hpp"
#include "encoders/super/q6_k.hpp"

namespace pillar::quantize {

template <class Set, class Encoder>
void encode_row(const float* x, const float* importance, std::size_t n, std::byte* out) {
    using Format = typename Encoder::Format;
    constexpr std::size_t size = Format::weights;
    for (std::size_t i = 0; i < n; i += size, out += Format::bytes) {
        if constexpr (requires { Encoder::encode_alike(x, out); })
            if (importance == nullptr) {
                Encoder::encode_alike(x + i, out);
                continue;
            }
        float w[size];
        const float* block_importance = importance == nullptr ? nullptr : importance + i;
        if constexpr (Encoder::counts_large_weights_more)
            error_weights<size>(x + i, block_importance, w);
        else
            plain_weights<size>(block_importance, w);
        Encoder::encode(x + i, w, out);
    }
}

template <class Set, class... Encoders>
EncodeRow find_encoder(quant::Type type) {
    EncodeRow found = nullptr;
    ((Encoders::Format::type == type ? void(found = &encode_row<Set, Encoders>) : void()), ...);
    return found;
}

template <class Set>
EncodeRow encoder_of(quant::Type type) {
    return find_encoder<Set, EncodeF32, EncodeF16, EncodeBF16, EncodeQ4_0, EncodeQ4_1, EncodeQ5_0,
                        EncodeQ5_1, EncodeQ8_0, EncodeQ2_K, EncodeQ3_K, EncodeQ4_K, EncodeQ5_K,
                        EncodeQ6_K, EncodeIQ4_NL, EncodeIQ4_XS, EncodeTQ1_0, EncodeTQ2_0,
                        EncodeMXFP4, EncodeQ1_0, EncodeQ2_0>(type);
}

template <class Set>
void read_f16(const std::byte* row, std::size_t n, float* x) {
    f16_row(row, n, x);
}
template <class Set>
void read_bf16(const std::byte* row, std::size_t n, float* x) {
    bf16_row(row, n, x);
}
template <class Set>
std::size_t n_beyond(const float* x, std::size_t n, float limit) {
    return count_beyond(x, n, limit);
}

template <class Set>
inline constexpr Family family_of{encoder_of<Set>, read_f16<Set>, read_bf16<Set>, n_beyond<Set>};

} // namespace pillar::quantize
