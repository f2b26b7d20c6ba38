#pragma once
// Formats of independent blocks of 32: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL. A packed group is, for
// each block of each slice,
//   0       8 × f16 d
//   16      8 × f16 m, only Q4_1 and Q5_1
//   16, 32  the weights of 8 rows (bits.hpp)
// which is exactly as many bytes as in the file.

#include "dot.hpp"
#include "format.hpp"
#include "packing.hpp"
#include "product.hpp"

namespace pillar::kernels::avx2 {
namespace {

/// a = fma(d · dx, Σ, a), Σ in int32.
inline Floats add_scaled(Floats d, float dx, Ints sum, Floats a) noexcept {
    return _mm256_fmadd_ps(_mm256_mul_ps(d, _mm256_set1_ps(dx)), _mm256_cvtepi32_ps(sum), a);
}

/// d · (n − bias) with unsigned n: Σ (n − bias)·q = Σ n·q − bias · Σ q.
template <class FileFormat, class Bits, int bias>
struct BiasedBlock {
    using File = FileFormat;
    static constexpr std::size_t bytes = 16 + Bits::bytes;
    Floats d;
    Weights w;

    static BiasedBlock load(const std::byte* p) noexcept {
        return {load_halves(p), Bits::unpack(p + 16)};
    }
    static std::int32_t extra(float, std::int32_t sum, const std::int16_t*) noexcept {
        return -bias * sum;
    }
    Floats add(const std::int8_t* x, float dx, std::int32_t minus_bias, Floats a) const noexcept {
        const Ints n = dot<Bits>(w, x, int16_ones());
        return add_scaled(d, dx, _mm256_add_epi32(n, _mm256_set1_epi32(minus_bias)), a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, false, out);
        Bits::pack(weight_bytes(unpack_rows<File>(blocks, 0), bias),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// d · n + m: a second term m · (dx · Σ q).
template <class FileFormat, class Bits>
struct AffineBlock {
    using File = FileFormat;
    static constexpr std::size_t bytes = 32 + Bits::bytes;
    Floats d, m;
    Weights w;

    static AffineBlock load(const std::byte* p) noexcept {
        return {load_halves(p), load_halves(p + 16), Bits::unpack(p + 32)};
    }
    static std::int32_t extra(float dx, std::int32_t sum, const std::int16_t*) noexcept {
        return __builtin_bit_cast(std::int32_t, dx * static_cast<float>(sum));
    }
    Floats add(const std::int8_t* x, float dx, std::int32_t dx_sum, Floats a) const noexcept {
        a = add_scaled(d, dx, dot<Bits>(w, x, int16_ones()), a);
        return _mm256_fmadd_ps(m, _mm256_castsi256_ps(_mm256_set1_epi32(dx_sum)), a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, true, out);
        Bits::pack(weight_bytes(unpack_rows<File>(blocks, 0), 0),
                   reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// d · n with signed n of eight bits.
template <class FileFormat, class Bits>
struct SignedBlock {
    using File = FileFormat;
    static constexpr std::size_t bytes = 16 + Bits::bytes;
    Floats d;
    SignedWeights w;

    static SignedBlock load(const std::byte* p) noexcept {
        return {load_halves(p), with_magnitude(Bits::unpack(p + 16))};
    }
    static std::int32_t extra(float, std::int32_t, const std::int16_t*) noexcept { return 0; }
    Floats add(const std::int8_t* x, float dx, std::int32_t, Floats a) const noexcept {
        return add_scaled(d, dx, dot(w, x, int16_ones()), a);
    }
    static std::byte* pack(const FileBlocks& blocks, std::byte* out) noexcept {
        out = pack_factors<File>(blocks, false, out);
        Bits::pack(Bits::from(unpack_rows<File>(blocks, 0)), reinterpret_cast<std::uint8_t*>(out));
        return out + Bits::bytes;
    }
};

/// The kernel of a format of blocks (product.hpp).
template <class Block>
struct BlockKernel {
    static std::int32_t extra(float dx, std::int32_t sum, const std::int16_t* half_sum) noexcept {
        return Block::extra(dx, sum, half_sum);
    }

    template <class Columns>
    static const std::byte* run(const std::byte* stream, PanelView x, std::size_t,
                                std::size_t n_blocks, Columns columns, Floats* sums) noexcept {
        Floats a[Columns::capacity];
        for (std::size_t c = 0; c < columns.count; ++c) a[c] = sums[c];
        for (std::size_t b = 0; b < n_blocks; ++b, stream += Block::bytes) {
            prefetch_ahead<Block::bytes>(stream);
            const Block block = Block::load(stream);
            for (std::size_t c = 0; c < columns.count; ++c, x.q += block_size)
                a[c] = block.add(x.q, *x.dx++, *x.extra++, a[c]);
        }
        for (std::size_t c = 0; c < columns.count; ++c) sums[c] = a[c];
        return stream;
    }
};

template <class Block>
void pack_group_of_blocks(const PackView& p) noexcept {
    pack_blocks<typename Block::File>(
        p, [](const FileBlocks&, std::byte* out) { return out; },
        [](const FileBlocks& blocks, std::size_t, std::byte* out) {
            return Block::pack(blocks, out);
        });
}

template <class Block>
constexpr Format format_of_blocks() noexcept {
    static_assert(Block::bytes == group_rows * Block::File::bytes, "as many bytes as in the file");
    return {.rows = group_rows,
            .segment_bytes = 0,
            .block_bytes = Block::bytes,
            .column_bytes = 0,
            .pack = pack_group_of_blocks<Block>,
            .multiply = multiply_with<BlockKernel<Block>>};
}

} // namespace
} // namespace pillar::kernels::avx2
