#include "x86_common/formats/float_formats.hpp"

namespace pillar::kernels::avxvnni {

extern const x86::FloatFormats float_formats;
constinit const x86::FloatFormats float_formats = x86::all_float_formats();

} // namespace pillar::kernels::avxvnni
