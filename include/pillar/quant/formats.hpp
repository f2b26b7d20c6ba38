#pragma once
// All block formats, and the way from a type's number to its format.

#include "pillar/quant/formats/grid/iq1_m.hpp"
#include "pillar/quant/formats/grid/iq1_s.hpp"
#include "pillar/quant/formats/grid/iq2_s.hpp"
#include "pillar/quant/formats/grid/iq2_xs.hpp"
#include "pillar/quant/formats/grid/iq2_xxs.hpp"
#include "pillar/quant/formats/grid/iq3_s.hpp"
#include "pillar/quant/formats/grid/iq3_xxs.hpp"
#include "pillar/quant/formats/iq4_nl.hpp"
#include "pillar/quant/formats/iq4_xs.hpp"
#include "pillar/quant/formats/low_bit/mxfp4.hpp"
#include "pillar/quant/formats/low_bit/q1_0.hpp"
#include "pillar/quant/formats/low_bit/q2_0.hpp"
#include "pillar/quant/formats/low_bit/tq1_0.hpp"
#include "pillar/quant/formats/low_bit/tq2_0.hpp"
#include "pillar/quant/formats/q2_k.hpp"
#include "pillar/quant/formats/q3_k.hpp"
#include "pillar/quant/formats/q4_0.hpp"
#include "pillar/quant/formats/q4_1.hpp"
#include "pillar/quant/formats/q4_k.hpp"
#include "pillar/quant/formats/q5_0.hpp"
#include "pillar/quant/formats/q5_1.hpp"
#include "pillar/quant/formats/q5_k.hpp"
#include "pillar/quant/formats/q6_k.hpp"
#include "pillar/quant/formats/q8_0.hpp"

namespace pillar::quant {

/// Call `visit(Format{})` with the format of a block type; nothing happens for f32, f16 and bf16.
template <class Visit>
[[gnu::always_inline]] inline void with_format(Type type, Visit&& visit) noexcept {
    switch (type) {
    case Type::f32:
    case Type::f16:
    case Type::bf16:
        return;
    case Type::q4_0:
        return visit(Q4_0{});
    case Type::q4_1:
        return visit(Q4_1{});
    case Type::q5_0:
        return visit(Q5_0{});
    case Type::q5_1:
        return visit(Q5_1{});
    case Type::q8_0:
        return visit(Q8_0{});
    case Type::q2_k:
        return visit(Q2_K{});
    case Type::q3_k:
        return visit(Q3_K{});
    case Type::q4_k:
        return visit(Q4_K{});
    case Type::q5_k:
        return visit(Q5_K{});
    case Type::q6_k:
        return visit(Q6_K{});
    case Type::iq4_nl:
        return visit(IQ4_NL{});
    case Type::iq4_xs:
        return visit(IQ4_XS{});
    case Type::iq2_xxs:
        return visit(IQ2_XXS{});
    case Type::iq2_xs:
        return visit(IQ2_XS{});
    case Type::iq2_s:
        return visit(IQ2_S{});
    case Type::iq3_xxs:
        return visit(IQ3_XXS{});
    case Type::iq3_s:
        return visit(IQ3_S{});
    case Type::iq1_s:
        return visit(IQ1_S{});
    case Type::iq1_m:
        return visit(IQ1_M{});
    case Type::tq1_0:
        return visit(TQ1_0{});
    case Type::tq2_0:
        return visit(TQ2_0{});
    case Type::mxfp4:
        return visit(MXFP4{});
    case Type::q1_0:
        return visit(Q1_0{});
    case Type::q2_0:
        return visit(Q2_0{});
    }
}

} // namespace pillar::quant
