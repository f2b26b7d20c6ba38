#pragma once
// What a family knows of each weight format: the size of its packed groups, and the functions that
// pack one and multiply with them. One table a format, defined beside its kernel.

#include "views.hpp"

namespace pillar::kernels::neon {

struct Format {
    std::size_t rows;          ///< rows a group
    std::size_t segment_bytes; ///< of a group, for each run of blocks within one block of the file
    std::size_t block_bytes;   ///< of a group, for each block of 32 columns
    std::size_t column_bytes;  ///< of a group, for each column (float formats)
    void (*pack)(const PackView& group) noexcept;
    void (*multiply)(const ProductView& product) noexcept;
};

extern const Format f32_format, f16_format, bf16_format; // the dotprod family's as well
extern const Format q4_0_format, q4_1_format, q5_0_format, q5_1_format, q8_0_format, iq4_nl_format;
extern const Format tq1_0_format, tq2_0_format, mxfp4_format, q1_0_format, q2_0_format;
extern const Format q2_k_format, q3_k_format, q4_k_format, q5_k_format, q6_k_format, iq4_xs_format;

} // namespace pillar::kernels::neon
