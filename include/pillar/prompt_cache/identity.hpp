#pragma once
// Whose keys and values they are: what must be the same for another run to go on from them.

#include "pillar/forward/row.hpp"
#include "pillar/gguf/file.hpp"

#include <cstddef>
#include <cstdint>

namespace pillar::prompt_cache {

struct Identity {
    std::uint64_t model_hash = 0; ///< of the header, samples of every tensor, the rotary factors
    kernels::CacheTypes cache_types = kernels::CacheType::f16;
    bool float_activations = false; ///< Family::float_activations
    std::size_t n_layers = 0;
    std::size_t n_kv_heads = 0; ///< of the model
    std::size_t head_dim = 0;
    std::size_t vocab_size = 0;
};

/// Of a model that is computed in a context of so many positions. Reads a few bytes of each tensor.
Identity identity_of(const gguf::File& file, std::size_t n_context, kernels::CacheTypes cache_types,
                     bool float_activations);

} // namespace pillar::prompt_cache
