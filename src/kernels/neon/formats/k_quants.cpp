// Formats of super-blocks on ARMv8.0.

#include "k_quants.hpp"

namespace pillar::kernels::neon {

constinit const Format q2_k_format =
    format_of_super_blocks<HalvesScaledAndShifted<Smlal, quant::Q2_K, TwoBits>>();
constinit const Format q3_k_format =
    format_of_super_blocks<HalvesScaledInHeader<Smlal, quant::Q3_K, ThreeBits>>();
constinit const Format q4_k_format =
    format_of_super_blocks<ScaledAndShifted<Smlal, quant::Q4_K, FourBits>>();
constinit const Format q5_k_format =
    format_of_super_blocks<ScaledAndShifted<Smlal, quant::Q5_K, FiveBits<Sign::without>>>();
constinit const Format q6_k_format =
    format_of_super_blocks<HalvesScaledInBlock<Smlal, quant::Q6_K, SixBits>>();
constinit const Format iq4_xs_format =
    format_of_super_blocks<Scaled<Smlal, quant::IQ4_XS, IQ4Levels>>();

} // namespace pillar::kernels::neon
