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

    /// Start the messages of phase `phase` and wait until all are done.
    void run(std::size_t phase, Patience& patience);
    /// Forget all; none is under way.
    void clear() noexcept;

  private:
    Channel* channel_;
    std::vector<MPI_Request> requests_;
    std::vector<PostedMessage> messages_; ///< what each request is about
    std::vector<std::size_t> ends_;       ///< of the phases
};

} // namespace pillar::comm
