#pragma once
// MPI return codes as this program's errors.

#include <string_view>

namespace pillar::comm {

/// Throw unless `code` is MPI_SUCCESS: Error(internal) where the call itself was wrong,
/// Error(peer_lost) for the rest. The sentence names the function, MPI's reason and `peer` ("rank 3
/// on pi4"), where there is one.
void throw_mpi_error(int code, const char* function, std::string_view peer);

inline void check_mpi(int code, const char* function, std::string_view peer = {}) {
    if (code != 0) [[unlikely]]
        throw_mpi_error(code, function, peer); // MPI_SUCCESS is 0 by the standard
}

} // namespace pillar::comm
