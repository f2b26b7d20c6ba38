// The AVX-512 family: F, BW, VL, DQ and VNNI. Weights are repacked into groups of 16 rows (32 for
// float formats and Q1_0); a panel of 16 columns keeps its sums in registers.

#include "x86_common/family.hpp"

#include "attention.hpp"
#include "avx2/operators.hpp"
#include "families.hpp"
#include "x86_common/dot_rate.hpp"

namespace pillar::kernels {
namespace avx512 {

extern const x86::FloatFormats float_formats;
extern const x86::BlockFormats block_formats;
extern const x86::LowBitFormats low_bit_formats;
extern const x86::SuperBlockFormats super_block_formats;

namespace {

constexpr x86::Formats formats{float_formats, block_formats, low_bit_formats, super_block_formats};
using Products = x86::Products<formats>;

bool supported() noexcept {
    return x86::has_avx2_fma_f16c() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}

} // namespace
} // namespace avx512

constinit const Family avx512_family = {.name = "avx512",
                                        .float_activations = false,
                                        .panel_columns = x86::panel_columns,
                                        .tile_groups = x86::tile_groups,
                                        .supported = avx512::supported,
                                        .rows_per_group = avx512::Products::rows_per_group,
                                        .group_bytes = avx512::Products::group_bytes,
                                        .pack_group = avx512::Products::pack_group,
                                        .multiply = avx512::Products::multiply,
                                        .quantize = avx2::quantize,
                                        .rms_norm = avx2::rms_norm,
                                        .sum_of_squares = avx2::sum_of_squares,
                                        .rope = avx2::rope,
                                        .swiglu = avx2::swiglu,
                                        .geglu = avx2::geglu,
                                        .soft_cap = avx2::soft_cap,
                                        .swiglu_clamped = avx2::swiglu_clamped,
                                        .add = avx2::add,
                                        .add_scaled = avx2::add_scaled,
                                        .attend_page = avx512::attend_page,
                                        .combine = avx512::combine,
                                        .finish_attention = avx512::finish_attention,
                                        .store_key = avx2::store_key,
                                        .store_value = avx2::store_value,
                                        .dot_rate = x86::dot_rate};

} // namespace pillar::kernels
