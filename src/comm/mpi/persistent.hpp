#pragma once
// Messages whose peers, lengths and memory stay the same, made once and started many times
// (persistent requests). They come in phases: all messages of a phase are under way together.

#include "channel.hpp"

#include <vector>

namespace pillar::comm {

class PersistentMessages {
  public:
    /// Room for so many messages and phases; nothing is allocated later.
    PersistentMessages(Channel& channel, std::size_t n_messages, std::size_t n_phases);
    ~PersistentMessages() { clear(); }
    PersistentMessages(PersistentMessages&&) = delete;

    /// Add to the phase in the making. The memory must stay as long as these messages.
    void send(int to, std::span<const std::byte> bytes);
    void receive(int from, std::span<std::byte> bytes);
    void end_phase();

    /// Start the messages of phase `phase`, see whether all are done, wait until they are.
    void start(std::size_t phase);
    bool test(std::size_t phase);
    void finish(std::size_t phase, Backoff& backoff);
    [[nodiscard]] std::size_t n_phases() const noexcept { return ends_.size(); }
    /// Forget all; none is under way.
    void clear() noexcept;

  private:
    /// Places of the messages of a phase: [begin, begin + n).
    struct Phase {
        std::size_t begin, n;
    };
    [[nodiscard]] Phase at(std::size_t phase) const noexcept;

    Channel* channel_;
    std::vector<MPI_Request> requests_;
    std::vector<PostedMessage> messages_; ///< what each request is about
    std::vector<std::size_t> ends_;       ///< of the phases
};

} // namespace pillar::comm
