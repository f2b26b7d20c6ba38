// IQ4_NL: four bits that number sixteen signed levels.

#include "blocks.hpp"
#include "iq4.hpp"

namespace pillar::kernels::avx2 {

constinit const Format iq4_nl_format = format_of_blocks<SignedBlock<quant::IQ4_NL, Levels>>();

} // namespace pillar::kernels::avx2
