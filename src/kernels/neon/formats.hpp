#pragma once
// From a type to the format's table, and the product's part of a Family over such tables: the neon
// and the dotprod family differ in these tables
// alone. Grid formats are packed and multiplied as in the plain families.

#include "format.hpp"
#include "reference/operators.hpp"

namespace pillar::kernels::neon {
namespace {

/// The tables of all types.
struct Formats {
    const Format *f32, *f16, *bf16;
    const Format *q4_0, *q4_1, *q5_0, *q5_1, *q8_0, *iq4_nl;
    const Format *q2_k, *q3_k, *q4_k, *q5_k, *q6_k, *iq4_xs;
    const Format *tq1_0, *tq2_0, *mxfp4, *q1_0, *q2_0;

    [[nodiscard]] const Format& of(quant::Type type) const noexcept {
        switch (type) {
        case quant::Type::f32:
            return *f32;
        case quant::Type::f16:
            return *f16;
        case quant::Type::bf16:
            return *bf16;
        case quant::Type::q4_0:
            return *q4_0;
        case quant::Type::q4_1:
            return *q4_1;
        case quant::Type::q5_0:
            return *q5_0;
        case quant::Type::q5_1:
            return *q5_1;
        case quant::Type::q8_0:
            return *q8_0;
        case quant::Type::q2_k:
            return *q2_k;
        case quant::Type::q3_k:
            return *q3_k;
        case quant::Type::q4_k:
            return *q4_k;
        case quant::Type::q5_k:
            return *q5_k;
        case quant::Type::q6_k:
            return *q6_k;
        case quant::Type::iq4_nl:
            return *iq4_nl;
        case quant::Type::iq4_xs:
            return *iq4_xs;
        case quant::Type::tq1_0:
            return *tq1_0;
        case quant::Type::tq2_0:
            return *tq2_0;
        case quant::Type::mxfp4:
            return *mxfp4;
        case quant::Type::q1_0:
            return *q1_0;
        case quant::Type::q2_0:
            return *q2_0;
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
};

/// The functions of Family that look at the formats, over one set of tables.
template <const Formats& formats>
struct Products {
    static std::size_t rows_per_group(quant::Type type) noexcept {
        if (quant::is_grid(type)) return reference::rows_per_group(type);
        return formats.of(type).rows;
    }

    static std::size_t group_bytes(const MatrixShape& shape) noexcept {
        if (quant::is_grid(shape.type)) return reference::group_bytes(shape);
        const Format& format = formats.of(shape.type);
        const RowCounts counts = count_row(shape);
        return counts.n_segments * format.segment_bytes + counts.n_blocks * format.block_bytes +
               counts.n_columns * format.column_bytes;
    }
    static void pack_group(const MatrixShape& shape, std::span<const std::byte* const> rows,
                           std::byte* group) noexcept {
        if (quant::is_grid(shape.type)) return reference::pack_group(shape, rows, group);
        formats.of(shape.type).pack(view_pack(shape, rows, group));
    }
    static void multiply(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                         std::size_t group_begin, std::size_t group_end) noexcept {
        const ProductView product = view_product(w, x, y, y_stride, group_begin, group_end);
        if (quant::is_grid(product.type))
            return reference::multiply_integers(w, x, y, y_stride, group_begin, group_end);
        formats.of(product.type).multiply(product);
    }
};

} // namespace
} // namespace pillar::kernels::neon
