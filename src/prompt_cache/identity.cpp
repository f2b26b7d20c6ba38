#include "pillar/prompt_cache/identity.hpp"

#include "pillar/core/hash.hpp"
#include "pillar/model/hyperparameters.hpp"

#include <algorithm>
#include <vector>

namespace pillar::prompt_cache {

namespace {

/// A model that was trained on has the header of the one it was trained from: of each tensor so
/// many bytes of its beginning, its middle and its end are looked at.
constexpr std::uint64_t sample_bytes = 64;

std::uint64_t hash_of_samples(const gguf::File& file, std::uint64_t seed) {
    std::vector<std::byte> sample(sample_bytes);
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        const std::uint64_t n = std::min(sample_bytes, tensor.size_bytes);
        const std::uint64_t last = tensor.size_bytes - n;
        for (const std::uint64_t begin : {std::uint64_t{0}, last / 2, last}) {
            const auto bytes = std::span(sample).first(n);
            file.read(tensor, begin, bytes);
            seed = hash_bytes(bytes, seed);
        }
    }
    return seed;
}

} // namespace

Identity identity_of(const gguf::File& file, std::size_t n_context, kernels::CacheTypes cache_types,
                     bool float_activations) {
    model::Hyperparameters h = model::read_hyperparameters(file);
    model::choose_rope_factors(h, n_context);
    const std::uint64_t of_run[] = {file.header_hash(), h.is_long_context ? 1u : 0u};
    return {.model_hash = hash_of_samples(file, hash_of(std::span<const std::uint64_t>(of_run))),
            .cache_types = cache_types,
            .float_activations = float_activations,
            .n_layers = h.n_layers,
            .n_kv_heads = h.n_kv_heads,
            .head_dim = h.head_dim,
            .vocab_size = h.vocab_size};
}

} // namespace pillar::prompt_cache
