#pragma once
// The all-reduces by name, what travels on their wire, and which of them sums vectors of which
// length. Needs no MPI and no communicator.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace pillar::comm {

enum class Algorithm : std::uint8_t {
    mpi, ///< MPI_Allreduce, whatever the library makes of it
    recursive_doubling,
    ring,
    direct,
    reduce_scatter, ///< reduce-scatter, then all-gather, both directly: `--allreduce two-step`
};
enum class Wire : std::uint8_t { f32, f16, q8 };

/// As --allreduce and --wire take them: "recursive-doubling", "f32".
std::string_view name_of(Algorithm algorithm) noexcept;
std::string_view name_of(Wire wire) noexcept;
/// And back; nothing for other names, "auto" too.
std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;
std::optional<Wire> wire_named(std::string_view name) noexcept;

/// Throws UsageError, naming what there is, unless the two go together: f16 and q8 are summed by
/// direct and reduce_scatter alone.
void require_available(Algorithm algorithm, Wire wire);
/// Of the algorithms that add in the balanced tree of the ranks, those that go with `wire`.
std::vector<Algorithm> tree_algorithms(Wire wire);

/// Which algorithm sums vectors of which length.
struct AllreduceChoice {
    Algorithm shorter = Algorithm::recursive_doubling; ///< up to `max_shorter` floats
    Algorithm longer = Algorithm::recursive_doubling;  ///< beyond
    std::size_t max_shorter = 0;
    [[nodiscard]] Algorithm of(std::size_t n_floats) const noexcept {
        return n_floats <= max_shorter ? shorter : longer;
    }
};
/// One for all lengths.
constexpr AllreduceChoice only(Algorithm algorithm) noexcept {
    return {algorithm, algorithm, 0};
}

} // namespace pillar::comm
