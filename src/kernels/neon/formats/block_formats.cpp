// Formats of independent blocks on ARMv8.0.

#include "blocks.hpp"
#include "levels.hpp"

#include "pillar/quant/formats.hpp"

namespace pillar::kernels::neon {

constinit const Format q4_0_format =
    format_of_blocks<BiasedBlock<Smlal, quant::Q4_0, FourBits, 8>>();
constinit const Format q4_1_format = format_of_blocks<AffineBlock<Smlal, quant::Q4_1, FourBits>>();
constinit const Format q5_0_format =
    format_of_blocks<SignedBlock<Smlal, quant::Q5_0, FiveBits<Sign::with>>>();
constinit const Format q5_1_format =
    format_of_blocks<AffineBlock<Smlal, quant::Q5_1, FiveBits<Sign::without>>>();
constinit const Format q8_0_format = format_of_blocks<SignedBlock<Smlal, quant::Q8_0, EightBits>>();
constinit const Format iq4_nl_format =
    format_of_blocks<SignedBlock<Smlal, quant::IQ4_NL, IQ4Levels>>();

} // namespace pillar::kernels::neon
