#pragma once
// Q1_0, Q2_0, TQ2_0, TQ1_0, MXFP4.

#include "headed_blocks.hpp"
#include "mxfp4.hpp"
#include "q1_0.hpp"

#include "pillar/quant/formats/low_bit/q2_0.hpp"
#include "pillar/quant/formats/low_bit/tq1_0.hpp"
#include "pillar/quant/formats/low_bit/tq2_0.hpp"

namespace pillar::kernels::x86 {
namespace {

using TQ2_0Block = HeadedBlock<quant::TQ2_0, TwoBits, 1>;

constexpr LowBitFormats all_low_bit_formats() noexcept {
    return {.tq1_0 = format_of_headed_blocks<HeadedBlock<quant::TQ1_0, TwoBits, 1>, TQ2_0Block>(),
            .tq2_0 = format_of_headed_blocks<TQ2_0Block>(),
            .mxfp4 = format_of_blocks<MXFP4Block>(),
            .q1_0 = format_of_q1_0(),
            .q2_0 = format_of_headed_blocks<HeadedBlock<quant::Q2_0, TwoBits, 1>>()};
}

} // namespace
} // namespace pillar::kernels::x86
