// Stamps by MPI_Isend and MPI_Irecv; then waiting on the clock.

#include "emulated_network.hpp"

#include "mpi/channel.hpp"
#include "mpi/mpi_error.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <utility>

namespace pillar::comm {

EmulatedNetwork::EmulatedNetwork(MPI_Comm comm, const NetworkModel& network, std::size_t n_max)
    : comm_(comm), link_(network), stamps_(n_max), requests_(n_max, MPI_REQUEST_NULL) {
    arrivals_.reserve(n_max);
}

std::size_t EmulatedNetwork::next() noexcept {
    expects(n_ < stamps_.size(), "not more stamps at once than messages");
    return n_++;
}

void EmulatedNetwork::sent(int to, std::size_t n_bytes) {
    const std::size_t i = next();
    stamps_[i] = {link_.depart(monotonic_s(), n_bytes), static_cast<double>(n_bytes)};
    check_mpi(MPI_Isend(&stamps_[i], sizeof(Stamp), MPI_BYTE, to, static_cast<int>(Tag::stamp),
                        comm_, &requests_[i]),
              "MPI_Isend");
    sent_.bytes_sent += sizeof(Stamp);
    ++sent_.messages_sent;
}

void EmulatedNetwork::expected(int from) {
    const std::size_t i = next();
    check_mpi(MPI_Irecv(&stamps_[i], sizeof(Stamp), MPI_BYTE, from, static_cast<int>(Tag::stamp),
                        comm_, &requests_[i]),
              "MPI_Irecv");
    arrivals_.push_back(i);
}

bool EmulatedNetwork::has_arrived() {
    if (n_ == 0) return monotonic_s() >= arrival_s_;
    int are_here = 0;
    check_mpi(MPI_Testall(static_cast<int>(n_), requests_.data(), &are_here, MPI_STATUSES_IGNORE),
              "MPI_Testall");
    if (are_here == 0) return false;
    std::ranges::sort(arrivals_, {}, [&](std::size_t i) { return stamps_[i].departure_s; });
    arrival_s_ = 0;
    for (const std::size_t i : arrivals_) {
        arrival_s_ =
            link_.arrive(stamps_[i].departure_s, static_cast<std::size_t>(stamps_[i].n_bytes));
    }
    arrivals_.clear();
    n_ = 0;
    return monotonic_s() >= arrival_s_;
}

Traffic EmulatedNetwork::take_sent() noexcept {
    return std::exchange(sent_, {});
}

} // namespace pillar::comm
