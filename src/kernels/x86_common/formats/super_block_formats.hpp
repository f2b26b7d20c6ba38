#pragma once
// Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS.

#include "iq4_xs.hpp"
#include "q2_k.hpp"
#include "q3_k_q6_k.hpp"
#include "q4_k_q5_k.hpp"

namespace pillar::kernels::x86 {
namespace {

constexpr SuperBlockFormats all_super_block_formats() noexcept {
    return {.q2_k = format_of_super_blocks<Q2KSuperBlock>(),
            .q3_k = format_of_super_blocks<Q3KSuperBlock>(),
            .q4_k = format_of_super_blocks<ScaledAndShifted<quant::Q4_K, FourBits>>(),
            .q5_k = format_of_super_blocks<ScaledAndShifted<quant::Q5_K, FiveBits>>(),
            .q6_k = format_of_super_blocks<Q6KSuperBlock>(),
            .iq4_xs = format_of_super_blocks<IQ4XSSuperBlock>()};
}

} // namespace
} // namespace pillar::kernels::x86
