#pragma once
// From a type to the function that encodes a row of it. Included once for each instruction set:
// `Family` keeps what is compiled there apart.

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

template <class Family, class Encoder>
void encode_row(const float* x, const float* importance, std::size_t n, std::byte* out) {
    using Format = typename Encoder::Format;
    constexpr std::size_t size = Format::weights;
    for (std::size_t i = 0; i < n; i += size, out += Format::bytes) {
        float w[size];
        const float* block_importance = importance == nullptr ? nullptr : importance + i;
        if constexpr (Encoder::counts_large_weights_more)
            error_weights<size>(x + i, block_importance, w);
        else
            plain_weights<size>(block_importance, w);
        Encoder::encode(x + i, w, out);
    }
}

template <class Family, class... Encoders>
EncodeRow find_encoder(quant::Type type) noexcept {
    EncodeRow found = nullptr;
    ((Encoders::Format::type == type ? void(found = &encode_row<Family, Encoders>) : void()), ...);
    return found;
}

template <class Family>
EncodeRow encoder_of(quant::Type type) noexcept {
    return find_encoder<Family, EncodeF16, EncodeBF16, EncodeQ4_0, EncodeQ4_1, EncodeQ5_0,
                        EncodeQ5_1, EncodeQ8_0, EncodeQ2_K, EncodeQ3_K, EncodeQ4_K, EncodeQ5_K,
                        EncodeQ6_K, EncodeIQ4_NL, EncodeIQ4_XS, EncodeTQ1_0, EncodeTQ2_0,
                        EncodeMXFP4, EncodeQ1_0, EncodeQ2_0>(type);
}

} // namespace pillar::quantize
