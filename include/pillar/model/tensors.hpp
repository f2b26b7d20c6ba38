#pragma once
// The tensors of an architecture: which it has, in which shape, and what may be missing. One list
// (Architecture) that files are held against before anything is planned, and that loading goes by.

#include "pillar/gguf/file.hpp"
#include "pillar/model/hyperparameters.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pillar::model {

/// How long a dimension is, in terms of the hyperparameters. Queries, keys/values, hidden rows and
/// the vocabulary are assigned to the ranks, the others are whole on each.
enum class Extent { one, dim, queries, keys, hidden, vocabulary, rope_pairs };
std::size_t length_of(Extent extent, const Hyperparameters& h) noexcept;

enum class Presence {
    required,
    optional,
    ignored, ///< some converters wrote it; nothing is computed with it, its shape does not matter
};

struct TensorRule {
    std::string_view name; ///< as in the file; a layer's without "blk.N."
    Presence presence = Presence::required;
    Extent columns = Extent::dim;
    Extent rows = Extent::one; ///< one: a vector

    [[nodiscard]] bool is_vector() const noexcept { return rows == Extent::one; }
};

/// The rule `name` of the model's architecture, one of a layer's or of those that stand once.
/// expects() that there is one.
const TensorRule& rule_of(const Hyperparameters& h, std::string_view name, bool in_layer);

/// "output.weight", or "blk.7.attn_q.weight" of a layer.
std::string tensor_name(std::string_view name, std::optional<std::size_t> layer);

/// The tensor of a rule, nullptr where it is missing and may be. Throws FormatError when it is
/// missing, of another shape or of a type that cannot be decoded.
const gguf::TensorInfo* find_tensor(const gguf::File& file, const Hyperparameters& h,
                                    const TensorRule& rule, std::optional<std::size_t> layer);

/// Holds the file's tensors against the architecture's list: what is missing, misshaped, of a type
/// that cannot be decoded, or not on the list, is a FormatError that names the tensor. Returns one
/// sentence on tensors that are there and not used, empty when there are none.
std::string check_tensors(const gguf::File& file, const Hyperparameters& h);

} // namespace pillar::model
