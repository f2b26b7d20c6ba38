#pragma once
// One process in the place of one rank of many: it computes what that rank would, and nothing is
// sent.

#include "pillar/comm/communicator.hpp"

#include <memory>

namespace pillar::comm {

/// A communicator of `size` ranks of which there is this one alone. It counts what rank `played`
/// sends, as the schedules say, and takes no time. To the step loop it is rank 0, which says what
/// comes next: a broadcast leaves the message, a gather delivers this process's as everybody's, and
/// so do setup collectives. An all-reduce adds nothing: what is computed from then on are
/// meaningless numbers, with the operations and the bytes of the real ones.
std::unique_ptr<Communicator> make_dry_run(int played, int size, const AllreduceChoice& choice,
                                           Wire wire);

} // namespace pillar::comm
