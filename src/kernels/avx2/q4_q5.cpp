// Q4_0, Q4_1, Q5_0 and Q5_1: unsigned weights of four and five bits.

#include "blocks.hpp"

#include "pillar/quant/formats/q4_0.hpp"
#include "pillar/quant/formats/q4_1.hpp"
#include "pillar/quant/formats/q5_0.hpp"
#include "pillar/quant/formats/q5_1.hpp"

namespace pillar::kernels::avx2 {

constinit const Format q4_0_format = format_of_blocks<BiasedBlock<quant::Q4_0, FourBits, 8>>();
constinit const Format q4_1_format = format_of_blocks<AffineBlock<quant::Q4_1, FourBits>>();
constinit const Format q5_0_format = format_of_blocks<BiasedBlock<quant::Q5_0, FiveBits, 16>>();
constinit const Format q5_1_format = format_of_blocks<AffineBlock<quant::Q5_1, FiveBits>>();

} // namespace pillar::kernels::avx2
