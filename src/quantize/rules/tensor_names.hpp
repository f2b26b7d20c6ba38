#pragma once
// What a tensor's name says to whoever quantises it. The rules are llama.cpp's (llama-quant.cpp),
// and go by parts of names, so that they hold of architectures that pillar does not compute.

#include "pillar/gguf/file.hpp"
#include "pillar/quant/mix.hpp"

#include <optional>
#include <string_view>

namespace pillar::quantize {

/// The matrix's place in the rules of the mixes; nothing where they have none for it.
std::optional<quant::MatrixRole> role_of(std::string_view name) noexcept;

/// Matrices of weights that are worth it: no norms, routers, biases, positions, or small matrices
/// that some architectures have.
bool is_quantised(const gguf::TensorInfo& tensor) noexcept;

/// 3 in "blk.3.attn_q.weight"; nothing in names without a layer.
std::optional<std::size_t> layer_of(std::string_view name) noexcept;

} // namespace pillar::quantize
