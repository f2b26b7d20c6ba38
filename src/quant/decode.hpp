#pragma once
// Decoders of single blocks, for the type table.

#include "pillar/quant/type.hpp"

namespace pillar::quant {

/// The decoder of one block; never nullptr for a Type.
DecodeBlock decoder_of(Type type) noexcept;

} // namespace pillar::quant
