// Formats of super-blocks on ARMv8.0.

#include "k_quants.hpp"

namespace pillar::kernels::neon {

constinit const Format q2_k_format = format_of_super_blocks<Q2KSuperBlock<Smlal>>();
constinit const Format q3_k_format = format_of_super_blocks<Q3KSuperBlock<Smlal>>();
constinit const Format q4_k_format =
    format_of_super_blocks<ScaledAndShifted<Smlal, quant::Q4_K, FourBits>>();
constinit const Format q5_k_format =
    format_of_super_blocks<ScaledAndShifted<Smlal, quant::Q5_K, FiveBits<Sign::without>>>();
constinit const Format q6_k_format = format_of_super_blocks<Q6KSuperBlock<Smlal>>();
constinit const Format iq4_xs_format = format_of_super_blocks<IQ4XSSuperBlock<Smlal>>();

} // namespace pillar::kernels::neon
