// From a block's bytes to its weights, with the float operations that define the format
// (docs/architecture.md, "Same bits": Decoding).

#include "decode.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/quant/formats.hpp"

#include <cstring>

namespace pillar::quant {

namespace {

template <class Format>
void decode_sub_block(const SubBlock& in, Factors factors, float* weights) noexcept {
    for (std::size_t half = 0; half < 2; ++half) {
        const auto scale = static_cast<float>(in.scale[half]);
        const auto min = static_cast<float>(in.min[half]);
        const float step = Format::rule < Rule::sub_scaled ? factors.d : factors.d * scale;
        const float low = factors.m * min;
        for (std::size_t k = 16 * half; k < 16 * half + 16; ++k) {
            const float scaled = step * static_cast<float>(in.q[k]);
            if constexpr (Format::rule == Rule::affine)
                weights[k] = scaled + factors.m;
            else if constexpr (Format::rule == Rule::sub_affine)
                weights[k] = scaled - low;
            else
                weights[k] = scaled;
        }
    }
}

template <class Format>
void decode_block(const std::byte* block, float* weights) {
    const Factors factors = Format::factors(block);
    SubBlock integers{};
    for (std::size_t sub = 0; sub < Format::weights / sub_block_weights; ++sub) {
        Format::unpack(block, sub, integers);
        decode_sub_block<Format>(integers, factors, weights + sub * sub_block_weights);
    }
}

void decode_f32(const std::byte* block, float* weights) {
    std::memcpy(weights, block, sizeof(float));
}

void decode_f16(const std::byte* block, float* weights) {
    *weights = load_f16(block, 0);
}

void decode_bf16(const std::byte* block, float* weights) {
    *weights = bf16_to_f32(load_u16(block, 0));
}

} // namespace

DecodeBlock decoder_of(Type type) noexcept {
    DecodeBlock decode = type == Type::f32   ? decode_f32
                         : type == Type::f16 ? decode_f16
                                             : decode_bf16;
    with_format(type, [&](auto format) { decode = decode_block<decltype(format)>; });
    return decode;
}

void decode_row(Type type, std::span<const std::byte> row, std::span<float> weights) {
    const TypeInfo& format = info(type);
    const std::size_t n_blocks = weights.size() / format.block_weights;
    expects(weights.size() % format.block_weights == 0, "a row is a whole number of blocks");
    expects(row.size() == n_blocks * format.block_bytes, "a row's bytes match its weights");
    const std::byte* block = row.data();
    switch (type) { // one weight a block: without a call for each
    case Type::f32:
        if (n_blocks > 0) std::memcpy(weights.data(), block, row.size());
        return;
    case Type::f16:
        for (std::size_t i = 0; i < n_blocks; ++i) weights[i] = load_f16(block, 2 * i);
        return;
    case Type::bf16:
        for (std::size_t i = 0; i < n_blocks; ++i) weights[i] = bf16_to_f32(load_u16(block, 2 * i));
        return;
    default:
        break;
    }
    for (std::size_t i = 0; i < n_blocks; ++i)
        format.decode(block + i * format.block_bytes, weights.data() + i * format.block_weights);
}

} // namespace pillar::quant
