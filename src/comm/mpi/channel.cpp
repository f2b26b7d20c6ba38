// MPI_Isend, MPI_Irecv, and MPI_Testall until all are done.

#include "channel.hpp"

#include "mpi_error.hpp"

#include "pillar/core/errors.hpp"

#include <exception>
#include <fmt/core.h>
#include <limits>
#include <utility>

namespace pillar::comm {

int message_count(std::size_t n_bytes) noexcept {
    expects(n_bytes <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
            "a message is shorter than 2 GiB");
    return static_cast<int>(n_bytes);
}

Channel::Channel(MPI_Comm parent) : parent_(parent) {
    check_mpi(MPI_Comm_rank(parent, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(parent, &size_), "MPI_Comm_size");
    // The most at once: one message to and one from every other rank.
    const auto n_max = 2 * static_cast<std::size_t>(size_);
    requests_.resize(n_max, MPI_REQUEST_NULL);
    statuses_.resize(n_max);
    messages_.resize(n_max);
    receives_.reserve(n_max);
}

/// MPI_Comm_dup would wait inside MPI, where a rank answers nobody and nothing ends it.
void Channel::open(Backoff& backoff) {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Comm_idup(parent_, &comm_, &request), "MPI_Comm_idup");
    for (int is_done = 0;;) {
        check_mpi(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "MPI_Comm_idup");
        if (is_done != 0) break;
        backoff.pause();
    }
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

Channel::~Channel() {
    int is_finalized = 0;
    MPI_Finalized(&is_finalized);
    if (comm_ == MPI_COMM_NULL) return;
    // Freeing is collective: while an error unwinds the other ranks may not come.
    if (is_finalized == 0 && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm_);
}

std::string_view Channel::host(int rank) const noexcept {
    const auto index = static_cast<std::size_t>(rank);
    return index < hosts_.size() ? std::string_view(hosts_[index]) : "an unknown host";
}

std::string Channel::name_of(int rank) const {
    return fmt::format("rank {} on {}", rank, host(rank));
}

namespace {

bool is_of_step(Tag tag) noexcept {
    return tag == Tag::allreduce || tag == Tag::broadcast || tag == Tag::gather;
}

} // namespace

void Channel::emulate(const NetworkModel& network) {
    emulated_.emplace(comm_, network, requests_.size());
}

void Channel::stamp(const PostedMessage& message) {
    if (!emulated_) return;
    if (message.is_sent) {
        emulated_->sent(message.peer, message.n_bytes);
    } else {
        emulated_->expected(message.peer);
    }
}

Traffic Channel::take_stamps() noexcept {
    return emulated_ ? emulated_->take_sent() : Traffic{};
}

void Channel::begin_batch() noexcept {
    if (!batch_is_done_) return;
    batch_is_done_ = false;
    n_posted_ = 0;
    receives_.clear();
}

void Channel::add(const PostedMessage& message) noexcept {
    messages_[n_posted_] = message;
    ++n_posted_;
}

void Channel::send(int to, Tag tag, std::span<const std::byte> bytes) {
    begin_batch();
    expects(n_posted_ < requests_.size(), "not more messages at once than two a rank");
    const int code = MPI_Isend(bytes.data(), message_count(bytes.size()), MPI_BYTE, to,
                               static_cast<int>(tag), comm_, &requests_[n_posted_]);
    if (code != MPI_SUCCESS) [[unlikely]]
        throw_mpi_error(code, "MPI_Isend", name_of(to));
    add({to, true, bytes.size()});
    if (is_of_step(tag)) stamp({to, true, bytes.size()});
    count({bytes.size(), 1});
}

void Channel::receive(int from, Tag tag, std::span<std::byte> bytes) {
    begin_batch();
    expects(n_posted_ < requests_.size(), "not more messages at once than two a rank");
    const int code = MPI_Irecv(bytes.data(), message_count(bytes.size()), MPI_BYTE, from,
                               static_cast<int>(tag), comm_, &requests_[n_posted_]);
    if (code != MPI_SUCCESS) [[unlikely]]
        throw_mpi_error(code, "MPI_Irecv", name_of(from));
    receives_.push_back(n_posted_);
    add({from, false, bytes.size()});
    if (is_of_step(tag)) stamp({from, false, bytes.size()});
}

void Channel::wait(Backoff& backoff) {
    batch_is_done_ = true;
    poll(std::span(requests_).first(n_posted_), std::span(messages_).first(n_posted_), backoff);
}

void Channel::start_persistent(std::span<MPI_Request> requests,
                               std::span<const PostedMessage> messages) {
    if (requests.empty()) return;
    check_mpi(MPI_Startall(static_cast<int>(requests.size()), requests.data()), "MPI_Startall");
    for (const PostedMessage& message : messages) {
        if (message.is_sent) count({message.n_bytes, 1});
        stamp(message);
    }
}

bool Channel::test_persistent(std::span<MPI_Request> requests,
                              std::span<const PostedMessage> messages) {
    return are_done(requests, messages) && (!emulated_ || emulated_->has_arrived());
}

void Channel::finish_persistent(std::span<MPI_Request> requests,
                                std::span<const PostedMessage> messages, Backoff& backoff) {
    if (!requests.empty()) poll(requests, messages, backoff);
}

bool Channel::are_done(std::span<MPI_Request> requests, std::span<const PostedMessage> messages) {
    int is_done = 0;
    const int code =
        MPI_Testall(static_cast<int>(requests.size()), requests.data(), &is_done, statuses_.data());
    if (code == MPI_ERR_IN_STATUS) throw_failed_request(messages);
    check_mpi(code, "MPI_Testall");
    return is_done != 0;
}

void Channel::poll(std::span<MPI_Request> requests, std::span<const PostedMessage> messages,
                   Backoff& backoff) {
    polled_ = requests;
    polled_messages_ = messages;
    while (!are_done(requests, messages)) backoff.pause();
    polled_ = {};
    while (emulated_ && !emulated_->has_arrived()) backoff.pause();
}

int Channel::waits_for() const noexcept {
    int receiver = -1; // of a message that has not left
    for (std::size_t i = 0; i < polled_.size(); ++i) {
        int is_done = 0;
        if (MPI_Request_get_status(polled_[i], &is_done, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            continue;
        if (is_done != 0) continue;
        if (!polled_messages_[i].is_sent) return polled_messages_[i].peer;
        receiver = polled_messages_[i].peer;
    }
    return receiver >= 0 ? receiver : probed_;
}

void Channel::throw_failed_request(std::span<const PostedMessage> messages) const {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const int code = statuses_[i].MPI_ERROR;
        if (code == MPI_SUCCESS || code == MPI_ERR_PENDING) continue;
        throw_mpi_error(code, "MPI_Testall", name_of(messages[i].peer));
    }
    throw Error(ExitCode::internal, "MPI_Testall failed without naming a message");
}

std::size_t Channel::n_received(std::size_t index) const {
    int n_bytes = 0;
    check_mpi(MPI_Get_count(&statuses_[receives_[index]], MPI_BYTE, &n_bytes), "MPI_Get_count");
    return static_cast<std::size_t>(n_bytes);
}

std::string Channel::receive_any_length(int from, Tag tag, Backoff& backoff) {
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status{};
    probed_ = from;
    for (;;) {
        int is_here = 0;
        const int code =
            MPI_Improbe(from, static_cast<int>(tag), comm_, &is_here, &message, &status);
        if (code != MPI_SUCCESS) throw_mpi_error(code, "MPI_Improbe", name_of(from));
        if (is_here != 0) break;
        backoff.pause();
    }
    probed_ = -1;
    int n_bytes = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &n_bytes), "MPI_Get_count");
    std::string bytes(static_cast<std::size_t>(n_bytes), '\0');
    begin_batch();
    check_mpi(MPI_Imrecv(bytes.data(), n_bytes, MPI_BYTE, &message, &requests_[n_posted_]),
              "MPI_Imrecv");
    add({from, false, bytes.size()});
    wait(backoff);
    return bytes;
}

void Channel::count(const Traffic& sent) noexcept {
    sent_ += sent;
}

Traffic Channel::take_sent() noexcept {
    return std::exchange(sent_, {});
}

} // namespace pillar::comm
