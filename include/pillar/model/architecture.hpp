#pragma once
// What differs from one architecture to the next: one small file each
// (src/model/config/architectures/). The tensors under the names that they have in the file, what
// each layer computes, and the keys beyond those that all architectures share.
// docs/adding_a_model.md walks through it.

#include "pillar/model/hyperparameters.hpp"
#include "pillar/model/tensors.hpp"

#include <span>
#include <string_view>

namespace pillar::model {

struct Architecture {
    std::string_view name; ///< general.architecture; also the prefix of its metadata keys
    /// Reads what is special to the architecture into `h` (the shared keys are there already) and
    /// refuses variants that are not computed. Throws FormatError.
    void (*read)(const gguf::File& file, Hyperparameters& h);
    /// What layer number `layer` computes.
    LayerSpec (*layer)(const Hyperparameters& h, std::size_t layer);
    std::span<const TensorSpec> model_tensors; ///< those that stand once
    std::span<const TensorSpec> layer_tensors; ///< those of each layer, without "blk.N."
    /// Keys that `read` takes beyond the shared ones, without the architecture's name: others that
    /// would change what is computed are refused.
    std::span<const std::string_view> keys = {};
};

/// An architecture's `read` where the shared keys say all.
void nothing_special(const gguf::File& file, Hyperparameters& h);
/// An architecture's `layer` for llama and those that differ from it in their tensors alone.
LayerSpec pre_norm_layer(const Hyperparameters& h, std::size_t layer);

/// 1 / √width in f32: what scores are multiplied with, of a head's width.
float inverse_root(std::size_t width) noexcept;

/// The tensor of its list whose rows are the tokens: every architecture has one.
const TensorSpec& embedding_of(const Architecture& architecture) noexcept;

/// All that this program computes.
std::span<const Architecture* const> architectures() noexcept;
/// The one of this name; nullptr when there is none.
const Architecture* find_architecture(std::span<const Architecture* const> known,
                                      std::string_view name) noexcept;

} // namespace pillar::model
