#pragma once
// The metadata of what is written: the source's, with what has changed.

#include "columns/column_importance.hpp"

#include "pillar/gguf/value.hpp"
#include "pillar/gguf/writer.hpp"
#include "pillar/quantize/quantize.hpp"

namespace pillar::quantize {

/// Keys keep their places; general.file_type and general.quantization_version say what the file is
/// now, and where an importance matrix was used quantize.imatrix.* which one. Throws FormatError on
/// a key that cannot be written.
void add_metadata(gguf::Writer& writer, const gguf::Metadata& source, const Options& options,
                  const ColumnImportance& importance);

/// What each part of a split model says of itself; `part` counts from 0.
void add_split(gguf::Writer& writer, std::size_t part, std::size_t n_parts, std::size_t n_tensors);

} // namespace pillar::quantize
