#pragma once
// For tests that run on several ranks (pillar_mpi_test): MPI is started once per program, by
// mpi_main.cpp.
//
// A test body runs on all ranks. What it expects may differ by rank; collectives must be called on
// all. Use EXPECT, not ASSERT, between collectives: a rank that leaves early lets the others wait
// for the time limit.

#include "pillar/comm/environment.hpp"

#include <memory>

namespace pillar::support {

/// The one Environment of this program.
comm::Environment& mpi_environment();

/// Collective. A new communicator of all ranks.
inline std::unique_ptr<comm::Communicator>
world(comm::Algorithm algorithm = comm::Algorithm::recursive_doubling,
      comm::Wire wire = comm::Wire::f32, const comm::WatchLimits& limits = {}) {
    return mpi_environment().world(algorithm, wire, {}, limits);
}

} // namespace pillar::support
