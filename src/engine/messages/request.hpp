#pragma once
// A step request as bytes: rank 0 writes it, all ranks read it from the broadcast.

#include "message.hpp"

#include "pillar/forward/transformer.hpp"

#include <cstddef>
#include <span>

namespace pillar::engine {

/// Bytes of the longest request.
std::size_t request_capacity(const forward::TransformerOptions& options);

/// Returns the bytes written; `buffer` has request_capacity().
std::size_t write_request(const RequestHead& head, const StepPlan& plan,
                          std::span<std::byte> buffer);

/// Fills `plan`.
RequestHead read_request(std::span<const std::byte> buffer, StepPlan& plan);

} // namespace pillar::engine
