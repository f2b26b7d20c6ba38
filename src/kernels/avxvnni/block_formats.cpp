#include "x86_common/formats/block_formats.hpp"

namespace pillar::kernels::avxvnni {

extern const x86::BlockFormats block_formats;
constinit const x86::BlockFormats block_formats = x86::all_block_formats();

} // namespace pillar::kernels::avxvnni
