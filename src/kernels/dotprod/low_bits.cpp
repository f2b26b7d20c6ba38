// Q1_0, Q2_0, TQ2_0, TQ1_0 and MXFP4 with SDOT.

#include "format.hpp"
#include "neon/formats/headed_blocks.hpp"
#include "neon/formats/mxfp4.hpp"
#include "sdot.hpp"

#include "pillar/quant/formats.hpp"

namespace pillar::kernels::dotprod {

namespace {
using namespace neon;
}

constinit const Format tq1_0_format =
    format_of_headed_blocks<BiasedHeaded<Sdot, quant::TQ1_0, TwoBits, 1>,
                            BiasedHeaded<Sdot, quant::TQ2_0, TwoBits, 1>>();
constinit const Format tq2_0_format =
    format_of_headed_blocks<BiasedHeaded<Sdot, quant::TQ2_0, TwoBits, 1>>();
constinit const Format mxfp4_format = format_of_blocks<MXFP4Block<Sdot, quant::MXFP4>>();
constinit const Format q1_0_format = format_of_headed_blocks<SignHeaded<Sdot, quant::Q1_0>>();
constinit const Format q2_0_format =
    format_of_headed_blocks<BiasedHeaded<Sdot, quant::Q2_0, TwoBits, 1>>();

} // namespace pillar::kernels::dotprod
