#pragma once
// Formats whose scale belongs to several blocks of 32: Q2_0 (2 of them), TQ2_0 and TQ1_0 (8). A
// packed group is, for each segment (the blocks of 32 that one slice touches in one block of the
// file),
//   a header: an f16 d a row; for each of the segment's blocks the weights of all rows (bits.hpp)
// A whole block of the file takes as many bytes as there, a cut one repeats the header. TQ1_0,
// whose base 3 takes longer to unpack than memory to deliver, lies here as TQ2_0.

#include "blocks.hpp"

namespace pillar::kernels::x86 {
namespace {

/// d · (n − bias) with unsigned n, d for File::weights of them.
template <class FileFormat, class TheBits, int bias>
struct HeadedBlock {
    using File = FileFormat;
    using Bits = TheBits;
    using Extra = std::int32_t;
    static constexpr std::size_t blocks = File::weights / block_size; ///< of 32, that share a d

    static Extra extra(float, std::int32_t sum, const std::int16_t*) noexcept {
        return -bias * sum;
    }
    static void pack(const FileBlocks& file, std::size_t sub, std::byte* out) noexcept {
        Bits::pack(weight_bytes(unpack_rows<File>(file, sub), bias),
                   reinterpret_cast<std::uint8_t*>(out));
    }
};

/// The kernel of such a format (product.hpp).
template <class Block>
struct HeadedBlockKernel {
    static constexpr bool in_tiles = false;
    using Bits = typename Block::Bits;
    using Extra = typename Block::Extra;
    static constexpr std::size_t vectors = 1;
    static Extra extra(const std::int8_t*, float dx, std::int32_t sum,
                       const std::int16_t* half_sum) noexcept {
        return Block::extra(dx, sum, half_sum);
    }

    template <class Columns>
    static const std::byte* run(const std::byte* stream, PanelView<Extra> x,
                                std::size_t first_block, std::size_t n_blocks, Columns columns,
                                Floats* sums) noexcept {
        Floats a[Columns::capacity];
        for_each_column(
            columns, [&](std::size_t c) __attribute__((always_inline)) { a[c] = sums[c]; });
        std::size_t n = smaller(Block::blocks - first_block % Block::blocks, n_blocks);
        for (; n_blocks > 0; n_blocks -= n, n = smaller(Block::blocks, n_blocks)) {
            const Floats d = load_halves(stream);
            prefetch_ahead<half_bytes>(stream);
            stream += half_bytes;
            for (std::size_t i = 0; i < n; ++i, stream += Bits::bytes) {
                prefetch_ahead<Bits::bytes>(stream);
                const Weights w = Bits::unpack(stream);
                for_each_column(
                    columns, [&](std::size_t c) __attribute__((always_inline)) {
                        const Ints sum = dot<Bits>(w, x.q + c * block_size, fill_32(x.extra[c]));
                        a[c] = add_scaled(d, x.dx[c], sum, a[c]);
                    });
                x.skip(columns.stride);
            }
        }
        for_each_column(
            columns, [&](std::size_t c) __attribute__((always_inline)) { sums[c] = a[c]; });
        return stream;
    }
};

template <class Block>
void pack_group_of_headed_blocks(const PackView& p) noexcept {
    using File = typename Block::File;
    pack_blocks<File>(
        p,
        [](const FileBlocks& file, std::byte* out) { return pack_factors<File>(file, false, out); },
        [](const FileBlocks& file, std::size_t sub, std::byte* out) {
            Block::pack(file, sub, out);
            return out + Block::Bits::bytes;
        });
}

/// A group of `InFile` lies as one of `InGroup` does.
template <class InFile, class InGroup = InFile>
constexpr Format format_of_headed_blocks() noexcept {
    static_assert(InFile::blocks == InGroup::blocks);
    return {.rows = group_rows,
            .segment_bytes = half_bytes,
            .block_bytes = InGroup::Bits::bytes,
            .column_bytes = 0,
            .pack = pack_group_of_headed_blocks<InFile>,
            .multiply = multiply_with<HeadedBlockKernel<InGroup>>};
}

} // namespace
} // namespace pillar::kernels::x86
