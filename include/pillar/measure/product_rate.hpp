#pragma once
// How fast a team of threads multiplies a matrix with one vector while the weights come from
// memory, as decoding does: the speed by which `--split auto` compares ranks.

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/threads/team.hpp"

#include <cstddef>

namespace pillar::measure {

/// More than the last-level cache of the machines that ranks run on.
inline constexpr std::size_t product_bytes = std::size_t{128} << 20;

class ProductRate {
  public:
    /// A synthetic matrix of about `n_bytes` bytes of file data in this format, packed by `team` as
    /// loading packs. Throws Error(refused).
    ProductRate(const kernels::Family& family, quant::Type type, threads::Team& team,
                std::size_t n_bytes = product_bytes);

    /// Bytes of file data a second, the mean over about `seconds` (at least one pass over the
    /// matrix, after one that is not counted): what takes the processor away in between slows a
    /// step as well, so it counts.
    double measure(threads::Team& team, double seconds);

  private:
    void pass(threads::Team& team);

    std::size_t n_bytes_;
    kernels::Matrix matrix_;
    kernels::Activations vector_;
    AlignedBuffer<float> result_;
};

} // namespace pillar::measure
