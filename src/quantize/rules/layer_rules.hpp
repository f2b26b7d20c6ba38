#pragma once
// Which type each tensor of a model gets.

#include "pillar/gguf/file.hpp"
#include "pillar/quantize/quantize.hpp"

#include <vector>

namespace pillar::quantize {

struct Choice {
    quant::Type type = quant::Type::f32;
    bool is_fallback = false; ///< what was wanted has blocks that do not divide the rows
};

/// One choice a tensor, in the file's order. Throws UsageError on a pattern that is no regular
/// expression, FormatError on metadata that the rules go by, Error(refused) for an architecture
/// that has rules of its own.
std::vector<Choice> choose_types(const gguf::File& model, const Options& options);

} // namespace pillar::quantize
