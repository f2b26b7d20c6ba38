#pragma once
// What a family knows of each weight format: the size of its packed groups, and the functions
// that pack one and multiply with them. One table a format, defined beside its kernel.

#include "views.hpp"

namespace pillar::kernels::x86 {

inline constexpr std::size_t panel_columns = 16; ///< Family::panel_columns
inline constexpr std::size_t tile_groups = 4;    ///< Family::tile_groups

struct Format {
    std::size_t rows;          ///< rows a group
    std::size_t segment_bytes; ///< of a group, for each run of blocks within one block of the file
    std::size_t block_bytes;   ///< of a group, for each block of 32 columns
    std::size_t column_bytes;  ///< of a group, for each column (float formats)
    void (*pack)(const PackView& group) noexcept;
    void (*multiply)(const ProductView& product) noexcept;
};

// What a family defines in four files of its own folder, each compiled over one of
// formats/float_formats.hpp, formats/block_formats.hpp, formats/low_bit_formats.hpp,
// formats/super_block_formats.hpp.
struct FloatFormats {
    Format f32, f16, bf16;
};
struct BlockFormats {
    Format q4_0, q4_1, q5_0, q5_1, q8_0, iq4_nl;
};
struct LowBitFormats {
    Format tq1_0, tq2_0, mxfp4, q1_0, q2_0;
};
struct SuperBlockFormats {
    Format q2_k, q3_k, q4_k, q5_k, q6_k, iq4_xs;
};
struct Formats {
    const FloatFormats& floats;
    const BlockFormats& blocks;
    const LowBitFormats& low_bits;
    const SuperBlockFormats& super_blocks;
};

} // namespace pillar::kernels::x86
