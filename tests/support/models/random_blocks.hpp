#pragma once
// Tensor data of any format with random bits and sane scales: every bit pattern of the quantised
// numbers occurs, and the weights have mean 0 and a given spread.

#include "pillar/quant/type.hpp"
#include "support/random.hpp"

#include <cstdint>
#include <string>

namespace pillar::support {

/// The bytes of `n_weights` weights (whole blocks) with mean 0 and standard deviation `deviation`.
std::string random_blocks(quant::Type type, std::uint64_t n_weights, double deviation,
                          Random& random);

} // namespace pillar::support
