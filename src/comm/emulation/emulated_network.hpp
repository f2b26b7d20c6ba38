#pragma once
// Messages that arrive no earlier than a slower network would deliver them. Every message is
// accompanied by a stamp, a small message of its own that tells when it left; the receiver holds
// the message back until the model lets it arrive. All ranks are on one machine and read one clock.

#include "link_model.hpp"

#include "pillar/core/timing.hpp"

#include <mpi.h>
#include <vector>

namespace pillar::comm {

class EmulatedNetwork {
  public:
    /// `comm` outlives this; `n_max`: messages under way at once.
    EmulatedNetwork(MPI_Comm comm, const NetworkModel& network, std::size_t n_max);

    /// A message of `n_bytes` has been handed over.
    void sent(int to, std::size_t n_bytes);
    /// A message from `from` is expected.
    void expected(int from);
    /// Whether all messages since it was last true have arrived.
    bool has_arrived();

    /// What the stamps were since the last call of this.
    Traffic take_sent() noexcept;

  private:
    struct Stamp {
        double departure_s = 0;
        double n_bytes = 0;
    };
    /// Where the next stamp of either direction goes, and its request.
    std::size_t next() noexcept;

    MPI_Comm comm_;
    LinkModel link_;
    std::vector<Stamp> stamps_;
    std::vector<MPI_Request> requests_; ///< [n_] in use, as of stamps_
    std::vector<std::size_t> arrivals_; ///< places of received stamps
    std::size_t n_ = 0;
    double arrival_s_ = 0; ///< of the last one, when all stamps are here
    Traffic sent_;
};

} // namespace pillar::comm
