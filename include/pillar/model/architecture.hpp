#pragma once
// What differs from one architecture to the next: one small file each (src/model/architectures/).
// The tensors that a layer needs, under the names they have in the file, and keys beyond those that
// all architectures share. docs/adding_a_model.md walks through it.

#include "pillar/model/hyperparameters.hpp"
#include "pillar/model/tensors.hpp"

#include <span>
#include <string_view>

namespace pillar::model {

struct Architecture {
    std::string_view name; ///< general.architecture; also the prefix of its metadata keys
    /// Reads what is special to the architecture into `h` (the shared keys are there already) and
    /// refuses variants that are not computed (for example mixtures of experts). Throws
    /// FormatError.
    void (*read)(const gguf::File& file, Hyperparameters& h);
    std::span<const TensorRule> model_tensors; ///< those that stand once
    std::span<const TensorRule> layer_tensors; ///< those of each layer, without "blk.N."
};

std::span<const Architecture* const> architectures() noexcept;
/// nullptr when not supported.
const Architecture* find_architecture(std::string_view name) noexcept;
/// Of hyperparameters that were read: expects() that it is supported.
const Architecture& architecture_of(const Hyperparameters& h);

} // namespace pillar::model
