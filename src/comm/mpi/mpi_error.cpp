// Which MPI errors are faults of the caller and which mean that somebody is gone.

#include "mpi_error.hpp"

#include "pillar/core/errors.hpp"

#include <fmt/core.h>
#include <mpi.h>
#include <string>

namespace pillar::comm {

namespace {

/// Wrong arguments: no network fault can cause these.
bool is_callers_fault(int error_class) {
    switch (error_class) {
    case MPI_ERR_ARG:
    case MPI_ERR_BUFFER:
    case MPI_ERR_COMM:
    case MPI_ERR_COUNT:
    case MPI_ERR_GROUP:
    case MPI_ERR_OP:
    case MPI_ERR_RANK:
    case MPI_ERR_REQUEST:
    case MPI_ERR_ROOT:
    case MPI_ERR_TAG:
    case MPI_ERR_TRUNCATE:
    case MPI_ERR_TYPE:
        return true;
    default:
        return false;
    }
}

} // namespace

void throw_mpi_error(int code, const char* function, std::string_view peer) {
    int error_class = MPI_ERR_UNKNOWN;
    MPI_Error_class(code, &error_class);
    char reason[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, reason, &length);
    const std::string with = peer.empty() ? std::string() : fmt::format(" with {}", peer);
    const std::string why = printable({reason, static_cast<std::size_t>(length)}, 200);
    if (is_callers_fault(error_class)) {
        throw Error(ExitCode::internal, fmt::format("{}{} failed: {}", function, with, why));
    }
    throw Error(ExitCode::peer_lost,
                fmt::format("{}{} failed: {}; is that node up and its cable in? `pillar check` "
                            "tries every link",
                            function, with, why));
}

} // namespace pillar::comm
