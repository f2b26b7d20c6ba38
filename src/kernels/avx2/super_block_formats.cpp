#include "x86_common/formats/super_block_formats.hpp"

namespace pillar::kernels::avx2 {

extern const x86::SuperBlockFormats super_block_formats;
constinit const x86::SuperBlockFormats super_block_formats = x86::all_super_block_formats();

} // namespace pillar::kernels::avx2
