// Q1_0, Q2_0, TQ2_0, TQ1_0 and MXFP4 on ARMv8.0.

#include "headed_blocks.hpp"
#include "mxfp4.hpp"

#include "pillar/quant/formats.hpp"

namespace pillar::kernels::neon {

constinit const Format tq1_0_format =
    format_of_headed_blocks<BiasedHeaded<Smlal, quant::TQ1_0, TwoBits, 1>,
                            BiasedHeaded<Smlal, quant::TQ2_0, TwoBits, 1>>();
constinit const Format tq2_0_format =
    format_of_headed_blocks<BiasedHeaded<Smlal, quant::TQ2_0, TwoBits, 1>>();
constinit const Format mxfp4_format = format_of_blocks<MXFP4Block<Smlal, quant::MXFP4>>();
constinit const Format q1_0_format = format_of_headed_blocks<SignHeaded<Smlal, quant::Q1_0>>();
constinit const Format q2_0_format =
    format_of_headed_blocks<BiasedHeaded<Smlal, quant::Q2_0, TwoBits, 1>>();

} // namespace pillar::kernels::neon
