// MPI_Send_init, MPI_Recv_init, MPI_Startall.

#include "persistent.hpp"

#include "mpi_error.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::comm {

PersistentMessages::PersistentMessages(Channel& channel, std::size_t n_messages,
                                       std::size_t n_phases)
    : channel_(&channel) {
    requests_.reserve(n_messages);
    messages_.reserve(n_messages);
    ends_.reserve(n_phases);
}

void PersistentMessages::send(int to, std::span<const std::byte> bytes) {
    expects(requests_.size() < requests_.capacity(), "a plan of messages has room for them");
    MPI_Request request = MPI_REQUEST_NULL;
    const int code = MPI_Send_init(bytes.data(), message_count(bytes.size()), MPI_BYTE, to,
                                   static_cast<int>(Tag::allreduce), channel_->handle(), &request);
    if (code != MPI_SUCCESS) [[unlikely]]
        throw_mpi_error(code, "MPI_Send_init", channel_->name_of(to));
    requests_.push_back(request);
    messages_.push_back({to, true, bytes.size()});
}

void PersistentMessages::receive(int from, std::span<std::byte> bytes) {
    expects(requests_.size() < requests_.capacity(), "a plan of messages has room for them");
    MPI_Request request = MPI_REQUEST_NULL;
    const int code = MPI_Recv_init(bytes.data(), message_count(bytes.size()), MPI_BYTE, from,
                                   static_cast<int>(Tag::allreduce), channel_->handle(), &request);
    if (code != MPI_SUCCESS) [[unlikely]]
        throw_mpi_error(code, "MPI_Recv_init", channel_->name_of(from));
    requests_.push_back(request);
    messages_.push_back({from, false, bytes.size()});
}

void PersistentMessages::end_phase() {
    expects(ends_.size() < ends_.capacity(), "a plan of messages has room for its phases");
    ends_.push_back(requests_.size());
}

PersistentMessages::Phase PersistentMessages::at(std::size_t phase) const noexcept {
    const std::size_t begin = phase == 0 ? 0 : ends_[phase - 1];
    return {begin, ends_[phase] - begin};
}

void PersistentMessages::start(std::size_t phase) {
    const auto [begin, n] = at(phase);
    channel_->start_persistent(std::span(requests_).subspan(begin, n),
                               std::span(messages_).subspan(begin, n));
}

bool PersistentMessages::test(std::size_t phase) {
    const auto [begin, n] = at(phase);
    return channel_->test_persistent(std::span(requests_).subspan(begin, n),
                                     std::span(messages_).subspan(begin, n));
}

void PersistentMessages::finish(std::size_t phase, Backoff& backoff) {
    const auto [begin, n] = at(phase);
    channel_->finish_persistent(std::span(requests_).subspan(begin, n),
                                std::span(messages_).subspan(begin, n), backoff);
}

void PersistentMessages::clear() noexcept {
    int is_finalized = 0;
    MPI_Finalized(&is_finalized);
    for (MPI_Request& request : requests_) {
        if (is_finalized == 0) MPI_Request_free(&request);
    }
    requests_.clear();
    messages_.clear();
    ends_.clear();
}

} // namespace pillar::comm
