// The AVX-VNNI family: AVX2 with the byte dot product of VNNI on vectors of 256 bits. Products of
// blocks alone differ from the AVX2 family.

#include "x86_common/family.hpp"

#include "avx2/operators.hpp"
#include "families.hpp"
#include "x86_common/dot_rate.hpp"

namespace pillar::kernels {
namespace avx2 {
extern const x86::FloatFormats float_formats;
}
namespace avxvnni {

extern const x86::BlockFormats block_formats;
extern const x86::LowBitFormats low_bit_formats;
extern const x86::SuperBlockFormats super_block_formats;

namespace {

constexpr x86::Formats formats{avx2::float_formats, block_formats, low_bit_formats,
                               super_block_formats};
using Products = x86::Products<formats>;

/// CPUID leaf 7, subleaf 1: EAX bit 4.
bool supported() noexcept {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return x86::has_avx2_fma_f16c() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 &&
           (eax & 1u << 4) != 0;
}

} // namespace
} // namespace avxvnni

constinit const Family avxvnni_family = {.name = "avxvnni",
                                         .float_activations = false,
                                         .panel_columns = x86::panel_columns,
                                         .tile_groups = x86::tile_groups,
                                         .supported = avxvnni::supported,
                                         .rows_per_group = avxvnni::Products::rows_per_group,
                                         .group_bytes = avxvnni::Products::group_bytes,
                                         .pack_group = avxvnni::Products::pack_group,
                                         .multiply = avxvnni::Products::multiply,
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
