#pragma once
// One bit a weight, 32 rows: how a block of 32 lies in memory so that one row's bits can be taken
// as numbers, to look up what they choose (bit_sums.hpp), and as OneBit (bits.hpp).
//
// A row's 32 bits are those of its lane in OneBit: bit 8k + j is weight 4j + k. Plane k has byte k
// of every row, in such an order that interleaving the planes' bytes, then 16-bit pairs, in each
// 128 bits gives the vectors of OneBit. The same for 8 lanes and for 16.

#include "avx2/simd.hpp"
#include "bits.hpp"
#include "common/packing.hpp"

namespace pillar::kernels::x86 {
namespace {

inline constexpr std::size_t plane_rows = 32;                    ///< a byte each
inline constexpr std::size_t plane_vectors = plane_rows / lanes; ///< of rows

struct BitPlanes {
    static constexpr std::size_t bytes = 4 * plane_rows;

    static void pack(const groups::RowBlocks<plane_rows>& rows, std::uint8_t* out) noexcept {
        for (std::size_t r = 0; r < plane_rows; ++r) {
            const std::size_t place = r % 8 / 4 * 16 + r / 8 * 4 + r % 4;
            for (std::size_t k = 0; k < 4; ++k) {
                int byte = 0;
                for (std::size_t j = 0; j < 8; ++j)
                    byte |= (rows.row[r].q[4 * j + k] > 0 ? 1 : 0) << j;
                out[k * plane_rows + place] = static_cast<std::uint8_t>(byte);
            }
        }
    }

    /// A vector of OneBit for each `lanes` rows.
    static void interleave(const std::byte* in, Ints* rows) noexcept {
        avx2::Ints plane[4];
        for (std::size_t k = 0; k < 4; ++k) plane[k] = avx2::load_bytes(in + plane_rows * k);
        const avx2::Ints pairs[2][2] = {{avx2::interleave_low_8(plane[0], plane[1]),
                                         avx2::interleave_low_8(plane[2], plane[3])},
                                        {avx2::interleave_high_8(plane[0], plane[1]),
                                         avx2::interleave_high_8(plane[2], plane[3])}};
        for (std::size_t h = 0; h < 2; ++h) {
            const avx2::Ints low = avx2::interleave_low_16(pairs[h][0], pairs[h][1]);
            const avx2::Ints high = avx2::interleave_high_16(pairs[h][0], pairs[h][1]);
#ifdef __AVX512VNNI__
            rows[h] = join(low, high);
#else
            rows[2 * h] = low;
            rows[2 * h + 1] = high;
#endif
        }
    }
};

} // namespace
} // namespace pillar::kernels::x86
