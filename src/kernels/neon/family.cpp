// The NEON family: every 64-bit Arm processor (ARMv8.0), written for the Cortex-A72 of a Raspberry
// Pi 4. Rows lie across lanes; weights are repacked into groups of 4 rows (16 for float formats)
// that are read as one stream.

#include "dot_rate.hpp"
#include "families.hpp"
#include "formats.hpp"
#include "neon/operators/operators.hpp"
#include "neon/products/panel.hpp"

#include <asm/hwcap.h>
#include <sys/auxv.h>

namespace pillar::kernels {
namespace neon {
namespace {

bool supported() noexcept {
    return (getauxval(AT_HWCAP) & HWCAP_ASIMD) != 0;
}

constexpr Formats formats = {.f32 = &f32_format,
                             .f16 = &f16_format,
                             .bf16 = &bf16_format,
                             .q4_0 = &q4_0_format,
                             .q4_1 = &q4_1_format,
                             .q5_0 = &q5_0_format,
                             .q5_1 = &q5_1_format,
                             .q8_0 = &q8_0_format,
                             .iq4_nl = &iq4_nl_format,
                             .q2_k = &q2_k_format,
                             .q3_k = &q3_k_format,
                             .q4_k = &q4_k_format,
                             .q5_k = &q5_k_format,
                             .q6_k = &q6_k_format,
                             .iq4_xs = &iq4_xs_format,
                             .tq1_0 = &tq1_0_format,
                             .tq2_0 = &tq2_0_format,
                             .mxfp4 = &mxfp4_format,
                             .q1_0 = &q1_0_format,
                             .q2_0 = &q2_0_format};
using Product = Products<formats>;

} // namespace
} // namespace neon

constinit const Family neon_family = {.name = "neon",
                                      .float_activations = false,
                                      .panel_columns = neon::panel_columns,
                                      .supported = neon::supported,
                                      .rows_per_group = neon::Product::rows_per_group,
                                      .group_bytes = neon::Product::group_bytes,
                                      .pack_group = neon::Product::pack_group,
                                      .multiply = neon::Product::multiply,
                                      .quantize = neon::quantize,
                                      .rms_norm = neon::rms_norm,
                                      .sum_of_squares = neon::sum_of_squares,
                                      .rope = neon::rope,
                                      .swiglu = neon::swiglu,
                                      .geglu = neon::geglu,
                                      .soft_cap = neon::soft_cap,
                                      .swiglu_clamped = neon::swiglu_clamped,
                                      .add = neon::add,
                                      .add_scaled = neon::add_scaled,
                                      .attend_page = neon::attend_page,
                                      .combine = neon::combine,
                                      .finish_attention = neon::finish_attention,
                                      .store_key = neon::store_key,
                                      .store_value = neon::store_value,
                                      .dot_rate = neon::dot_rate};

} // namespace pillar::kernels
