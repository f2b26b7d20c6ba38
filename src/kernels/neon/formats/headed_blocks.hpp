#pragma once
// Formats whose scale belongs to several blocks of 32: Q1_0 (4 of them), Q2_0 (2), TQ2_0 and TQ1_0
// (8). A packed group is, for each segment (the blocks of 32 that one slice touches in one block of
// the file),
//   a header: 4 × f16 d; for each of the segment's blocks the weights of 4 rows (bits.hpp)
// A whole block of the file takes as many bytes as there, a cut one repeats the header. TQ1_0,
// whose base 3 takes longer to unpack than memory to deliver, lies here as TQ2_0.
//
// A format is a struct:
//   File, Bits                      in the file, in a group
//   Numbers                         what it takes of a block besides integers (panel.hpp)
//   dot(weights, x, start) → Ints   Σ w·q, exact
//   pack(file blocks, sub, out)

#include "blocks.hpp"

namespace pillar::kernels::neon {
namespace {

/// d · (n − bias) with unsigned n.
template <class Dot, class FileFormat, class TheBits, int bias>
struct BiasedHeaded {
    using File = FileFormat;
    using Bits = TheBits;
    using Numbers = ScaleAndStart<bias>;

    [[gnu::always_inline]] static Ints dot(const Weights& w, const Activation& x,
                                           Ints start) noexcept {
        return Dot::template dot<Bits::max>(w, x, start);
    }
    static void pack(const FileBlocks& blocks, std::size_t sub, std::byte* out) noexcept {
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, sub), bias),
                   reinterpret_cast<std::uint8_t*>(out));
    }
};

/// d or −d: twice the activations where it is d, less all of them.
template <class Dot, class FileFormat>
struct SignHeaded {
    using File = FileFormat;
    using Bits = OneBit;
    using Numbers = ScaleAndStart<1>;

    [[gnu::always_inline]] static Ints dot(const Weights& masks, const Activation& x,
                                           Ints start) noexcept {
        return Dot::add_chosen_twice(masks, x, start);
    }
    static void pack(const FileBlocks& blocks, std::size_t sub, std::byte* out) noexcept {
        Bits::pack(weight_bytes<Dot, Bits::max>(unpack_rows<File>(blocks, sub), 0),
                   reinterpret_cast<std::uint8_t*>(out));
    }
};

/// The kernel of such a format (product.hpp).
template <class Format>
struct HeadedBlockKernel {
    using File = typename Format::File;
    using Bits = typename Format::Bits;
    using Numbers = typename Format::Numbers;
    using View = PanelView<Numbers>;
    static constexpr std::size_t blocks = File::weights / block_size; ///< of 32, that share a d
    static constexpr std::size_t header_bytes = 8;

    /// The rest of a block of the file that an earlier slice began, whole ones, and the beginning
    /// of one.
    template <std::size_t C>
    static const std::byte* run(const std::byte* stream, View x, std::size_t first_block,
                                std::size_t n_blocks, Floats* sums) noexcept {
        const std::size_t sub = first_block % blocks;
        if (sub != 0 && n_blocks > 0) {
            const std::size_t n = smaller(blocks - sub, n_blocks);
            stream = run_part<C>(stream, x, n, sums);
            x = x.from(n * C);
            n_blocks -= n;
        }
        const std::size_t n_whole = n_blocks / blocks;
        stream = run_whole<C>(stream, x, n_whole, sums);
        const std::size_t n_left = n_blocks % blocks;
        if (n_left != 0) stream = run_part<C>(stream, x.from(n_whole * blocks * C), n_left, sums);
        return stream;
    }

  private:
    static constexpr bool is_one_line = blocks * Bits::bytes <= 64;

    template <std::size_t C>
    [[gnu::always_inline]] static void add_block(const std::byte* stream, Floats d, const View& x,
                                                 Floats* a) noexcept {
        const Weights w = Bits::unpack(stream);
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) {
            const auto numbers = x.numbers[c].load();
            const Ints dot = Format::dot(w, Activation::load(x.q + c * block_size), numbers.start);
            a[c] = add_scaled(d, numbers, dot, a[c]);
            in_order(a[c]);
        });
    }

    /// n whole blocks of the file.
    template <std::size_t C>
    [[gnu::noinline]] static const std::byte* run_whole(const std::byte* stream, View x,
                                                        std::size_t n, Floats* sums) noexcept {
        Floats a[C];
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { a[c] = sums[c]; });
#pragma GCC unroll 1
        for (; n > 0; --n) {
            const Floats d = load_halves(stream);
            if constexpr (is_one_line) prefetch_ahead(stream);
            stream += header_bytes;
#pragma GCC unroll 1
            for (std::size_t sub = 0; sub < blocks; sub += blocks_a_step<C>) {
                count_from(stream);
                if constexpr (!is_one_line) prefetch_ahead(stream);
                unrolled<blocks_a_step<C>>([&](std::size_t i) __attribute__((always_inline)) {
                    add_block<C>(stream + i * Bits::bytes, d, x.from(i * C), a);
                });
                stream += blocks_a_step<C> * Bits::bytes;
                x = x.from(blocks_a_step<C> * C);
            }
        }
        unrolled<C>([&](std::size_t c) __attribute__((always_inline)) { sums[c] = a[c]; });
        return stream;
    }

    /// n blocks of 32 of one block of the file.
    template <std::size_t C>
    [[gnu::noinline]] static const std::byte* run_part(const std::byte* stream, View x,
                                                       std::size_t n, Floats* sums) noexcept {
        const Floats d = load_halves(stream);
        stream += header_bytes;
#pragma GCC unroll 1
        for (; n > 0; --n, stream += Bits::bytes, x = x.from(C)) add_block<C>(stream, d, x, sums);
        return stream;
    }
};

template <class Format>
void pack_group_of_headed_blocks(const PackView& p) noexcept {
    using File = typename Format::File;
    pack_blocks<File>(
        p,
        [](const FileBlocks& blocks, std::byte* out) {
            return pack_factors<File>(blocks, false, out);
        },
        [](const FileBlocks& blocks, std::size_t sub, std::byte* out) {
            Format::pack(blocks, sub, out);
            return out + Format::Bits::bytes;
        });
}

/// A group of `InFile` lies as one of `InGroup` does.
template <class InFile, class InGroup = InFile>
constexpr Format format_of_headed_blocks() noexcept {
    static_assert(InFile::File::weights == InGroup::File::weights);
    using Kernel = HeadedBlockKernel<InGroup>;
    return {.rows = group_rows,
            .segment_bytes = Kernel::header_bytes,
            .block_bytes = InGroup::Bits::bytes,
            .column_bytes = 0,
            .pack = pack_group_of_headed_blocks<InFile>,
            .multiply = multiply_with<Kernel>};
}

} // namespace
} // namespace pillar::kernels::neon
