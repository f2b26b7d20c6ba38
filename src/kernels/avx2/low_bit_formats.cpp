#include "x86_common/formats/low_bit_formats.hpp"

namespace pillar::kernels::avx2 {

extern const x86::LowBitFormats low_bit_formats;
constinit const x86::LowBitFormats low_bit_formats = x86::all_low_bit_formats();

} // namespace pillar::kernels::avx2
