#pragma once
// What a download that stopped leaves: a file of its full size that is zeros from some byte on.

#include "pillar/gguf/file.hpp"
#include "pillar/model/hyperparameters.hpp"

#include <string>

namespace pillar::model {

/// One sentence that names the first tensor whose weights look as if they had never come, with the
/// byte of its file; empty when there is none. Looks at the last 4 KiB of every tensor, at more
/// only where these are zeros. Biases may be zero; so may the last rows of a matrix that was padded
/// to a rounder size, and a warning is all that is made of the rest. Throws IoError.
std::string find_zeros(const gguf::File& file, const Hyperparameters& h);

} // namespace pillar::model
