#pragma once
// Family's functions about weights, over a family's table of formats. Grid formats are packed and
// multiplied as in the plain families.

#include "format.hpp"

#include "pillar/kernels/family.hpp"
#include "reference/operators.hpp"

#include <cpuid.h>

namespace pillar::kernels::x86 {
namespace {

inline const Format& format_of(const Formats& formats, quant::Type type) noexcept {
    switch (type) {
    case quant::Type::f32:
        return formats.floats.f32;
    case quant::Type::f16:
        return formats.floats.f16;
    case quant::Type::bf16:
        return formats.floats.bf16;
    case quant::Type::q4_0:
        return formats.blocks.q4_0;
    case quant::Type::q4_1:
        return formats.blocks.q4_1;
    case quant::Type::q5_0:
        return formats.blocks.q5_0;
    case quant::Type::q5_1:
        return formats.blocks.q5_1;
    case quant::Type::q8_0:
        return formats.blocks.q8_0;
    case quant::Type::iq4_nl:
        return formats.blocks.iq4_nl;
    case quant::Type::q2_k:
        return formats.super_blocks.q2_k;
    case quant::Type::q3_k:
        return formats.super_blocks.q3_k;
    case quant::Type::q4_k:
        return formats.super_blocks.q4_k;
    case quant::Type::q5_k:
        return formats.super_blocks.q5_k;
    case quant::Type::q6_k:
        return formats.super_blocks.q6_k;
    case quant::Type::iq4_xs:
        return formats.super_blocks.iq4_xs;
    case quant::Type::tq1_0:
        return formats.low_bits.tq1_0;
    case quant::Type::tq2_0:
        return formats.low_bits.tq2_0;
    case quant::Type::mxfp4:
        return formats.low_bits.mxfp4;
    case quant::Type::q1_0:
        return formats.low_bits.q1_0;
    case quant::Type::q2_0:
        return formats.low_bits.q2_0;
    case quant::Type::iq2_xxs:
    case quant::Type::iq2_xs:
    case quant::Type::iq3_xxs:
    case quant::Type::iq1_s:
    case quant::Type::iq3_s:
    case quant::Type::iq2_s:
    case quant::Type::iq1_m:
        break; // the plain families' products
    }
    __builtin_unreachable();
}

template <const Formats& formats>
struct Products {
    static std::size_t rows_per_group(quant::Type type) noexcept {
        if (quant::is_grid(type)) return reference::rows_per_group(type);
        return format_of(formats, type).rows;
    }

    static std::size_t group_bytes(const MatrixShape& shape) noexcept {
        if (quant::is_grid(shape.type)) return reference::group_bytes(shape);
        const Format& format = format_of(formats, shape.type);
        const RowCounts counts = count_row(shape);
        return counts.n_segments * format.segment_bytes + counts.n_blocks * format.block_bytes +
               counts.n_columns * format.column_bytes;
    }

    static void pack_group(const MatrixShape& shape, std::span<const std::byte* const> rows,
                           std::byte* group) noexcept {
        if (quant::is_grid(shape.type)) return reference::pack_group(shape, rows, group);
        format_of(formats, shape.type).pack(view_pack(shape, rows, group));
    }

    static void multiply(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                         std::size_t group_begin, std::size_t group_end) noexcept {
        const ProductView product = view_product(w, x, y, y_stride, group_begin, group_end);
        if (quant::is_grid(product.type))
            return reference::multiply_integers(w, x, y, y_stride, group_begin, group_end);
        format_of(formats, product.type).multiply(product);
    }
};

/// AVX2, FMA and F16C, which every family here needs. (clang 14 has no name for F16C in
/// __builtin_cpu_supports.) Asked once: to a virtual machine CPUID is a call of its host.
inline bool has_avx2_fma_f16c() noexcept {
    static const bool has_f16c = [] {
        unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
        return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
    }();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c;
}

} // namespace
} // namespace pillar::kernels::x86
