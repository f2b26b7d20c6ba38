#pragma once
// What a step computes and what a forward pass has room for.

#include "pillar/attention/row.hpp"
#include "pillar/kernels/family.hpp"

#include <cstddef>

namespace pillar::forward {

using attention::Row;

struct TransformerOptions {
    std::size_t n_context = 4096; ///< positions a sequence
    std::size_t max_sequences = 1;
    /// Of the layers that see all positions, for all sequences together; 0: what max_sequences of
    /// n_context need.
    std::size_t n_pages = 0;
    /// Layers with a window keep all positions too: what is computed can be cut anywhere, shared
    /// and taken out, for the memory of a model without windows.
    bool keeps_windows = false;
    std::size_t max_rows = 256;     ///< rows a call (-b)
    std::size_t max_logit_rows = 1; ///< rows with want_logits a call
    /// Any sequence can be computed again from so many positions before its last one, windows or
    /// not: what wrong proposals need.
    std::size_t max_back = 0;
    kernels::CacheTypes cache_types = kernels::CacheType::f16;
    bool sums_activations = false; ///< Transformer::activation_sums()
};

} // namespace pillar::forward
