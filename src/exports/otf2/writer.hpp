#pragma once
// A trace's events and definitions into an OTF2 archive.

#include "archive.hpp"

#include "pillar/trace/reader.hpp"

namespace pillar::exports {

/// Throws IoError.
void write_otf2(const trace::Trace& trace, const Otf2Archive& archive);

} // namespace pillar::exports
