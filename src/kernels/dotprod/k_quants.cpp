// Formats of super-blocks with SDOT.

#include "neon/formats/k_quants.hpp"

#include "format.hpp"
#include "sdot.hpp"

namespace pillar::kernels::dotprod {

namespace {
using namespace neon;
}

constinit const Format q2_k_format =
    format_of_super_blocks<HalvesScaledAndShifted<Sdot, quant::Q2_K, TwoBits>>();
constinit const Format q3_k_format =
    format_of_super_blocks<HalvesScaledInHeader<Sdot, quant::Q3_K, ThreeBits>>();
constinit const Format q4_k_format =
    format_of_super_blocks<ScaledAndShifted<Sdot, quant::Q4_K, FourBits>>();
constinit const Format q5_k_format =
    format_of_super_blocks<ScaledAndShifted<Sdot, quant::Q5_K, FiveBits<Sign::without>>>();
constinit const Format q6_k_format =
    format_of_super_blocks<HalvesScaledInBlock<Sdot, quant::Q6_K, SixBits>>();
constinit const Format iq4_xs_format =
    format_of_super_blocks<Scaled<Sdot, quant::IQ4_XS, IQ4Levels>>();

} // namespace pillar::kernels::dotprod
