// Small messages, sent and forgotten; an error of MPI here is silence, which the collectives' own
// errors explain.

#include "liveness_probe.hpp"

#include "launch/machine.hpp"
#include "mpi/mpi_error.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <fmt/core.h>
#include <type_traits>

namespace pillar::comm {

namespace {

constexpr int probe_tag = 1;
constexpr int greeting_tag = 2;
const MPI_Comm all_ranks = MPI_COMM_WORLD;

} // namespace

LivenessProbe::LivenessProbe(bool is_one_host) {
    check_mpi(MPI_Comm_set_errhandler(all_ranks, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    int n_ranks = 1;
    check_mpi(MPI_Comm_rank(all_ranks, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(all_ranks, &n_ranks), "MPI_Comm_size");
    const auto n = static_cast<std::size_t>(n_ranks);
    answered_.resize(n);
    progress_.resize(n);
    questions_.resize(n);
    answers_.resize(n);
    answered_[static_cast<std::size_t>(rank_)] = 1;
    const std::string host = printable(host_name(), own_greeting_.size() - 4); // "..." if cut
    host.copy(own_greeting_.data(), own_greeting_.size() - 1);
    hosts_.resize(n, is_one_host ? own_greeting_ : Greeting{});
    hosts_[static_cast<std::size_t>(rank_)] = own_greeting_;
    greetings_.reserve(2 * n);
    for (int other = 0; other < n_ranks; ++other) {
        if (other != rank_) greet(other);
    }
}

void LivenessProbe::greet(int other) {
    Greeting& host = hosts_[static_cast<std::size_t>(other)];
    check_mpi(MPI_Irecv(host.data(), static_cast<int>(host.size()), MPI_CHAR, other, greeting_tag,
                        all_ranks, &greetings_.emplace_back(MPI_REQUEST_NULL)),
              "MPI_Irecv");
    check_mpi(MPI_Isend(own_greeting_.data(), static_cast<int>(own_greeting_.size()), MPI_CHAR,
                        other, greeting_tag, all_ranks, &greetings_.emplace_back(MPI_REQUEST_NULL)),
              "MPI_Isend");
    sent_.bytes_sent += own_greeting_.size();
    ++sent_.messages_sent;
}

bool LivenessProbe::has_greeted_all() noexcept {
    if (has_greeted_all_) return true;
    int are_done = 0;
    // A message that fails is not there: the wait for it names its rank.
    if (MPI_Testall(static_cast<int>(greetings_.size()), greetings_.data(), &are_done,
                    MPI_STATUSES_IGNORE) != MPI_SUCCESS) {
        return false;
    }
    has_greeted_all_ = are_done != 0;
    return has_greeted_all_;
}

std::string LivenessProbe::name_of(int rank) const {
    const char* const host = hosts_[static_cast<std::size_t>(rank)].data();
    return fmt::format("rank {} on {}", rank, *host == '\0' ? "an unknown host" : host);
}

LivenessProbe::~LivenessProbe() {
    if (std::uncaught_exceptions() > 0) return;
    for (std::vector<Sending>* all : {&questions_, &answers_}) {
        for (Sending& sending : *all) {
            if (sending.request != MPI_REQUEST_NULL) MPI_Wait(&sending.request, MPI_STATUS_IGNORE);
        }
    }
}

void LivenessProbe::send(std::vector<Sending>& to_ranks, int to, const Message& message) noexcept {
    static_assert(std::is_trivially_copyable_v<Message>, "all ranks run the same program");
    Sending& sending = to_ranks[static_cast<std::size_t>(to)];
    int is_free = 1;
    if (sending.request != MPI_REQUEST_NULL) {
        MPI_Test(&sending.request, &is_free, MPI_STATUS_IGNORE);
    }
    if (is_free == 0) return;
    sending.message = message;
    if (MPI_Isend(&sending.message, sizeof sending.message, MPI_BYTE, to, probe_tag, all_ranks,
                  &sending.request) != MPI_SUCCESS) {
        sending.request = MPI_REQUEST_NULL;
        return;
    }
    sent_.bytes_sent += sizeof sending.message;
    ++sent_.messages_sent;
}

void LivenessProbe::ask(const Progress& own) noexcept {
    ++round_;
    std::fill(answered_.begin(), answered_.end(), std::uint8_t{0});
    answered_[static_cast<std::size_t>(rank_)] = 1;
    progress_[static_cast<std::size_t>(rank_)] = own;
    n_answers_ = 1;
    for (int to = 0; to < size(); ++to) {
        if (to != rank_) send(questions_, to, {round_, 0, own});
    }
}

void LivenessProbe::listen(const Progress& own) noexcept {
    for (;;) {
        int is_here = 0;
        MPI_Status status{};
        if (MPI_Iprobe(MPI_ANY_SOURCE, probe_tag, all_ranks, &is_here, &status) != MPI_SUCCESS ||
            is_here == 0) {
            return;
        }
        Message message;
        if (MPI_Recv(&message, sizeof message, MPI_BYTE, status.MPI_SOURCE, probe_tag, all_ranks,
                     MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return;
        }
        take(status.MPI_SOURCE, message, own);
    }
}

void LivenessProbe::take(int from, const Message& message, const Progress& own) noexcept {
    if (message.is_answer == 0) {
        send(answers_, from, {message.round, 1, own});
        return;
    }
    const auto index = static_cast<std::size_t>(from);
    if (message.round != round_ || answered_[index] != 0) return;
    answered_[index] = 1;
    progress_[index] = message.progress;
    ++n_answers_;
}

} // namespace pillar::comm
