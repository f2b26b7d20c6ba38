#pragma once
// Point-to-point messages between the ranks of one job: post sends and receives, then wait for all
// of them by polling. The collectives are written on top of this; nothing here allocates after
// construction, except receive_any_length.

#include "emulation/emulated_network.hpp"
#include "liveness/backoff.hpp"

#include "pillar/core/timing.hpp"

#include <cstddef>
#include <mpi.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pillar::comm {

enum class Tag : int {
    allreduce = 1,
    broadcast,
    gather,
    setup_gather,
    setup_broadcast,
    clock,
    stamp
};

/// A message's length as MPI takes it.
int message_count(std::size_t n_bytes) noexcept;

/// What a request is about.
struct PostedMessage {
    int peer = 0;
    bool is_sent = false;
    std::size_t n_bytes = 0; ///< of a receive: at most
};

class Channel {
  public:
    /// Local. Messages can be sent after open().
    explicit Channel(MPI_Comm parent);
    ~Channel();
    /// Collective. Duplicates the parent; errors come back as exceptions instead of ending the job.
    void open(Backoff& backoff);

    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    [[nodiscard]] int rank() const noexcept { return rank_; }
    [[nodiscard]] int size() const noexcept { return size_; }
    [[nodiscard]] MPI_Comm handle() const noexcept { return comm_; }
    [[nodiscard]] std::string_view host(int rank) const noexcept;
    /// Host names in rank order, for sentences.
    void set_hosts(std::vector<std::string> hosts) { hosts_ = std::move(hosts); }
    /// "rank 3 on pi4".
    [[nodiscard]] std::string name_of(int rank) const;

    /// Post a message; its memory must stay until wait() has returned.
    void send(int to, Tag tag, std::span<const std::byte> bytes);
    /// Post a receive of at most `bytes.size()` bytes.
    void receive(int from, Tag tag, std::span<std::byte> bytes);
    /// Until everything posted is done.
    void wait(Backoff& backoff);
    /// After wait(): length of the message that the `index`-th receive since the wait before
    /// brought.
    [[nodiscard]] std::size_t n_received(std::size_t index) const;

    /// Start persistent requests: not more than 2 · size().
    void start_persistent(std::span<MPI_Request> requests, std::span<const PostedMessage> messages);
    /// Let started ones move; true when all are done.
    bool test_persistent(std::span<MPI_Request> requests, std::span<const PostedMessage> messages);
    /// Until all are done.
    void finish_persistent(std::span<MPI_Request> requests, std::span<const PostedMessage> messages,
                           Backoff& backoff);

    /// From now on messages of step collectives arrive no earlier than on this network.
    void emulate(const NetworkModel& network);
    /// What was sent for that since the last call of this.
    Traffic take_stamps() noexcept;

    /// Wait for a message whose length is not known here.
    std::string receive_any_length(int from, Tag tag, Backoff& backoff);

    /// The rank whose message is missing, during a wait; −1: none, or unknown.
    [[nodiscard]] int waits_for() const noexcept;

    /// Count what was sent past this channel.
    void count(const Traffic& sent) noexcept;
    /// What was sent since the last call of this.
    Traffic take_sent() noexcept;

  private:
    void begin_batch() noexcept;
    void add(const PostedMessage& message) noexcept;
    void stamp(const PostedMessage& message);
    bool are_done(std::span<MPI_Request> requests, std::span<const PostedMessage> messages);
    void poll(std::span<MPI_Request> requests, std::span<const PostedMessage> messages,
              Backoff& backoff);
    [[noreturn]] void throw_failed_request(std::span<const PostedMessage> messages) const;

    MPI_Comm parent_;
    MPI_Comm comm_ = MPI_COMM_NULL;
    int rank_ = 0;
    int size_ = 1;
    std::vector<std::string> hosts_;
    std::vector<MPI_Request> requests_; ///< [n_posted_] in use
    std::vector<MPI_Status> statuses_;
    std::vector<PostedMessage> messages_;
    std::vector<std::size_t> receives_; ///< places of the receives among the requests
    std::size_t n_posted_ = 0;
    std::span<MPI_Request> polled_; ///< of the wait that lasts …
    std::span<const PostedMessage> polled_messages_;
    int probed_ = -1; ///< … or the rank whose message of any length is awaited
    bool batch_is_done_ = false;
    std::optional<EmulatedNetwork> emulated_;
    Traffic sent_;
};

} // namespace pillar::comm
