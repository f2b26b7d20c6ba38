// Small messages, sent and forgotten; an error of MPI here is silence, which the collectives' own
// errors explain.

#include "roll_call.hpp"

#include "mpi_error.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <type_traits>

namespace pillar::comm {

namespace {

constexpr int roll_call_tag = 1;
constexpr int greeting_tag = 2;
constexpr std::byte own_greeting{1};

} // namespace

RollCall::RollCall(MPI_Comm parent) {
    check_mpi(MPI_Comm_dup(parent, &comm_), "MPI_Comm_dup");
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    int n_ranks = 1;
    check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_, &n_ranks), "MPI_Comm_size");
    const auto n = static_cast<std::size_t>(n_ranks);
    answered_.resize(n);
    places_.resize(n);
    questions_.resize(n);
    answers_.resize(n);
    answered_[static_cast<std::size_t>(rank_)] = 1;
    greet_all();
}

/// A first message between all pairs. MPI connects two ranks when they first talk: that must not
/// happen when a network has failed, for it takes its time, and ends in pages of MPI's own.
void RollCall::greet_all() {
    std::vector<std::byte> greetings(answered_.size());
    std::vector<MPI_Request> requests;
    requests.reserve(2 * answered_.size());
    for (int other = 0; other < size(); ++other) {
        if (other == rank_) continue;
        std::byte* greeting = &greetings[static_cast<std::size_t>(other)];
        check_mpi(MPI_Irecv(greeting, 1, MPI_BYTE, other, greeting_tag, comm_,
                            &requests.emplace_back(MPI_REQUEST_NULL)),
                  "MPI_Irecv");
        check_mpi(MPI_Isend(&own_greeting, 1, MPI_BYTE, other, greeting_tag, comm_,
                            &requests.emplace_back(MPI_REQUEST_NULL)),
                  "MPI_Isend");
        sent_.bytes_sent += 1;
        ++sent_.messages_sent;
    }
    check_mpi(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
              "MPI_Waitall");
}

RollCall::~RollCall() {
    int is_finalized = 0;
    MPI_Finalized(&is_finalized);
    // Freeing is collective: while an error unwinds the other ranks may not come.
    if (is_finalized != 0 || std::uncaught_exceptions() > 0) return;
    for (std::vector<Sending>* all : {&questions_, &answers_}) {
        for (Sending& sending : *all) {
            if (sending.request != MPI_REQUEST_NULL) MPI_Wait(&sending.request, MPI_STATUS_IGNORE);
        }
    }
    MPI_Comm_free(&comm_);
}

void RollCall::send(std::vector<Sending>& to_ranks, int to, const Message& message) noexcept {
    static_assert(std::is_trivially_copyable_v<Message>, "all ranks run the same program");
    Sending& sending = to_ranks[static_cast<std::size_t>(to)];
    int is_free = 1;
    if (sending.request != MPI_REQUEST_NULL) {
        MPI_Test(&sending.request, &is_free, MPI_STATUS_IGNORE);
    }
    if (is_free == 0) return;
    sending.message = message;
    if (MPI_Isend(&sending.message, sizeof sending.message, MPI_BYTE, to, roll_call_tag, comm_,
                  &sending.request) != MPI_SUCCESS) {
        sending.request = MPI_REQUEST_NULL;
        return;
    }
    sent_.bytes_sent += sizeof sending.message;
    ++sent_.messages_sent;
}

void RollCall::ask(const Place& own) noexcept {
    ++round_;
    std::fill(answered_.begin(), answered_.end(), std::uint8_t{0});
    answered_[static_cast<std::size_t>(rank_)] = 1;
    places_[static_cast<std::size_t>(rank_)] = own;
    n_answers_ = 1;
    for (int to = 0; to < size(); ++to) {
        if (to != rank_) send(questions_, to, {round_, false, own});
    }
}

void RollCall::listen(const Place& own) noexcept {
    for (;;) {
        int is_here = 0;
        MPI_Status status{};
        if (MPI_Iprobe(MPI_ANY_SOURCE, roll_call_tag, comm_, &is_here, &status) != MPI_SUCCESS ||
            is_here == 0) {
            return;
        }
        Message message;
        if (MPI_Recv(&message, sizeof message, MPI_BYTE, status.MPI_SOURCE, roll_call_tag, comm_,
                     MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return;
        }
        take(status.MPI_SOURCE, message, own);
    }
}

void RollCall::take(int from, const Message& message, const Place& own) noexcept {
    if (!message.is_answer) {
        send(answers_, from, {message.round, true, own});
        return;
    }
    const auto index = static_cast<std::size_t>(from);
    if (message.round != round_ || answered_[index] != 0) return;
    answered_[index] = 1;
    places_[index] = message.place;
    ++n_answers_;
}

} // namespace pillar::comm
