// Q8_0: weights of eight signed bits.

#include "blocks.hpp"

#include "pillar/quant/formats/q8_0.hpp"

namespace pillar::kernels::avx2 {
namespace {

/// Eight signed bits a weight: vector j of Weights as it is.
struct SignedBytes {
    static constexpr std::size_t bytes = 8 * 32;

    static Weights unpack(const std::byte* in) noexcept {
        Weights w;
        for (std::size_t j = 0; j < 8; ++j) w.v[j] = load_bytes(in + 32 * j);
        return w;
    }
    static WeightBytes from(const RowBlocks& blocks) noexcept { return weight_bytes(blocks, 0); }
    static void pack(const WeightBytes& w, std::uint8_t* out) noexcept {
        std::memcpy(out, w.v, bytes);
    }
};

} // namespace

constinit const Format q8_0_format = format_of_blocks<SignedBlock<quant::Q8_0, SignedBytes>>();

} // namespace pillar::kernels::avx2
