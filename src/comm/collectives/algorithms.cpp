// Names, and what goes with what.

#include "pillar/comm/algorithms.hpp"

#include "pillar/core/errors.hpp"

#include <fmt/core.h>

namespace pillar::comm {

std::string_view name_of(Algorithm algorithm) noexcept {
    switch (algorithm) {
    case Algorithm::mpi:
        return "mpi";
    case Algorithm::recursive_doubling:
        return "recursive-doubling";
    case Algorithm::ring:
        return "ring";
    case Algorithm::direct:
        return "direct";
    case Algorithm::reduce_scatter:
        return "two-step";
    }
    return "?";
}

std::string_view name_of(Wire wire) noexcept {
    switch (wire) {
    case Wire::f32:
        return "f32";
    case Wire::f16:
        return "f16";
    case Wire::q8:
        return "q8";
    }
    return "?";
}

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
    for (const auto one : {Algorithm::mpi, Algorithm::recursive_doubling, Algorithm::ring,
                           Algorithm::direct, Algorithm::reduce_scatter})
        if (name_of(one) == name) return one;
    return std::nullopt;
}

std::optional<Wire> wire_named(std::string_view name) noexcept {
    for (const auto one : {Wire::f32, Wire::f16, Wire::q8})
        if (name_of(one) == name) return one;
    return std::nullopt;
}

void require_available(Algorithm algorithm, Wire wire) {
    if (wire == Wire::f32 || algorithm == Algorithm::direct ||
        algorithm == Algorithm::reduce_scatter) {
        return;
    }
    throw UsageError(fmt::format("--wire {} does not go with --allreduce {}: use {}, {} or auto",
                                 name_of(wire), name_of(algorithm), name_of(Algorithm::direct),
                                 name_of(Algorithm::reduce_scatter)));
}

std::vector<Algorithm> tree_algorithms(Wire wire) {
    if (wire != Wire::f32) return {Algorithm::direct, Algorithm::reduce_scatter};
    return {Algorithm::recursive_doubling, Algorithm::direct, Algorithm::reduce_scatter};
}

} // namespace pillar::comm
