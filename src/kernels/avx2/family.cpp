// The AVX2 family: x86-64 with AVX2, FMA and F16C. Rows lie across lanes; weights are repacked into
// groups of 8 rows (16 for float formats, 32 for Q1_0) that are read as one stream.

#include "x86_common/family.hpp"

#include "families.hpp"
#include "operators.hpp"
#include "x86_common/dot_rate.hpp"

namespace pillar::kernels {
namespace avx2 {

extern const x86::FloatFormats float_formats;
extern const x86::BlockFormats block_formats;
extern const x86::LowBitFormats low_bit_formats;
extern const x86::SuperBlockFormats super_block_formats;

namespace {

constexpr x86::Formats formats{float_formats, block_formats, low_bit_formats, super_block_formats};
using Products = x86::Products<formats>;

bool supported() noexcept {
    return x86::has_avx2_fma_f16c();
}

} // namespace
} // namespace avx2

constinit const Family avx2_family = {.name = "avx2",
                                      .float_activations = false,
                                      .panel_columns = x86::panel_columns,
                                      .tile_groups = x86::tile_groups,
                                      .supported = avx2::supported,
                                      .rows_per_group = avx2::Products::rows_per_group,
                                      .group_bytes = avx2::Products::group_bytes,
                                      .pack_group = avx2::Products::pack_group,
                                      .multiply = avx2::Products::multiply,
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
                                      .attend_page = avx2::attend_page,
                                      .combine = avx2::combine,
                                      .finish_attention = avx2::finish_attention,
                                      .store_key = avx2::store_key,
                                      .store_value = avx2::store_value,
                                      .dot_rate = x86::dot_rate};

} // namespace pillar::kernels
