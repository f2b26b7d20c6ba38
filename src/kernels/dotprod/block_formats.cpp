// Formats of independent blocks with SDOT.

#include "format.hpp"
#include "neon/formats/blocks.hpp"
#include "neon/formats/levels.hpp"
#include "sdot.hpp"

#include "pillar/quant/formats.hpp"

namespace pillar::kernels::dotprod {

namespace {
using namespace neon;
}

constinit const Format q4_0_format =
    format_of_blocks<BiasedBlock<Sdot, quant::Q4_0, FourBits, 8>>();
constinit const Format q4_1_format = format_of_blocks<AffineBlock<Sdot, quant::Q4_1, FourBits>>();
constinit const Format q5_0_format =
    format_of_blocks<SignedBlock<Sdot, quant::Q5_0, FiveBits<Sign::with>>>();
constinit const Format q5_1_format =
    format_of_blocks<AffineBlock<Sdot, quant::Q5_1, FiveBits<Sign::without>>>();
constinit const Format q8_0_format = format_of_blocks<SignedBlock<Sdot, quant::Q8_0, EightBits>>();
constinit const Format iq4_nl_format =
    format_of_blocks<SignedBlock<Sdot, quant::IQ4_NL, IQ4Levels>>();

} // namespace pillar::kernels::dotprod
