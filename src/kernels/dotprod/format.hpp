#pragma once
// The family's formats; those of floats are the neon family's.

#include "neon/format.hpp"

namespace pillar::kernels::dotprod {

using neon::Format;

extern const Format q4_0_format, q4_1_format, q5_0_format, q5_1_format, q8_0_format, iq4_nl_format;
extern const Format tq1_0_format, tq2_0_format, mxfp4_format, q1_0_format, q2_0_format;
extern const Format q2_k_format, q3_k_format, q4_k_format, q5_k_format, q6_k_format, iq4_xs_format;

} // namespace pillar::kernels::dotprod
