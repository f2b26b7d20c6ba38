#pragma once
// Models without files: the shape of a well-known model, the formats of a type mix, pseudo-random
// weights, and a vocabulary of the right size that holds every byte. Everything that reads a model
// reads them like a file; they say nothing sensible. They have the tensors that their architecture
// requires: that of the shape, unless a caller names another.

#include "pillar/gguf/file.hpp"
#include "pillar/model/architecture.hpp"
#include "pillar/quant/mix.hpp"
#include "pillar/synthetic/shapes.hpp"

#include <filesystem>
#include <string>

namespace pillar::synthetic {

/// "llama-3.2-1b:q4_k_m" → the two; "llama-3.2-1b@4:q4_k_m": the first four layers of the shape.
/// Throws UsageError with the names there are.
struct SyntheticName {
    std::string name; ///< as given
    Shape shape;
    quant::Mix mix;
};
SyntheticName parse_synthetic_name(const std::string& name);

/// The same bytes on every rank and machine.
gguf::File synthetic_model(const Shape& shape, quant::Mix mix);
gguf::File synthetic_model(const Shape& shape, quant::Mix mix,
                           const model::Architecture& architecture);

/// Write any open model as one GGUF file. Throws IoError.
void write_model(const gguf::File& model, const std::filesystem::path& path);

} // namespace pillar::synthetic
