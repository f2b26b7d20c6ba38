#pragma once
// "Who is still there?": a question to all ranks and their answers, on a communicator of its own,
// so that nothing meets the messages of the collectives. No message is sent unless a rank asks.
// Nothing here waits or allocates after construction.

#include "pillar/core/timing.hpp"

#include <cstddef>
#include <cstdint>
#include <mpi.h>
#include <utility>
#include <vector>

namespace pillar::comm {

/// Where a rank is, as it tells the others.
struct Place {
    std::uint64_t step = 0;         ///< steps begun before
    std::uint32_t n_allreduces = 0; ///< of this step that it has begun
    CollectiveKind kind = CollectiveKind::broadcast;
    bool is_step = false; ///< in a step's collective; false: before, between or after steps
    int waits_for = -1;   ///< rank; −1: none, or unknown
    bool is_busy = false; ///< alive without waiting for others: it loads, or waits for a user
};

class RollCall {
  public:
    /// Collective. Duplicates `parent`.
    explicit RollCall(MPI_Comm parent);
    ~RollCall();
    RollCall(const RollCall&) = delete;
    RollCall& operator=(const RollCall&) = delete;

    /// Ask all others; earlier answers are forgotten.
    void ask(const Place& own) noexcept;
    /// Answer who has asked, take in what has been answered.
    void listen(const Place& own) noexcept;

    [[nodiscard]] int rank() const noexcept { return rank_; }
    [[nodiscard]] int size() const noexcept { return static_cast<int>(places_.size()); }
    /// Since ask(). True for this rank itself.
    [[nodiscard]] bool has_answered(int rank) const noexcept {
        return answered_[static_cast<std::size_t>(rank)] != 0;
    }
    [[nodiscard]] bool all_have_answered() const noexcept { return n_answers_ == size(); }
    /// What a rank told in its last answer.
    [[nodiscard]] const Place& place(int rank) const noexcept {
        return places_[static_cast<std::size_t>(rank)];
    }

    /// Questions and answers since the last call of this.
    Traffic take_sent() noexcept { return std::exchange(sent_, {}); }

  private:
    struct Message {
        std::uint32_t round = 0; ///< the asking rank's
        bool is_answer = false;
        Place place;
    };
    /// A message on its way. One that cannot leave (its receiver is stopped) keeps the next ones
    /// back.
    struct Sending {
        Message message;
        MPI_Request request = MPI_REQUEST_NULL;
    };
    void greet_all();
    void send(std::vector<Sending>& to_ranks, int to, const Message& message) noexcept;
    void take(int from, const Message& message, const Place& own) noexcept;

    MPI_Comm comm_ = MPI_COMM_NULL;
    int rank_ = 0;
    std::uint32_t round_ = 0;
    int n_answers_ = 1;
    std::vector<std::uint8_t> answered_;
    std::vector<Place> places_;
    std::vector<Sending> questions_; ///< one a rank
    std::vector<Sending> answers_;
    Traffic sent_;
};

} // namespace pillar::comm
