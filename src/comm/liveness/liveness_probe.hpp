#pragma once
// "Who is still there?": a question to all ranks and their answers. It is there as soon as MPI is,
// before any rank has waited for another one: these are the only messages on MPI_COMM_WORLD itself,
// all others are on duplicates. After the greetings no message is sent unless a rank asks. Nothing
// here waits or allocates after construction.

#include "progress.hpp"

#include "pillar/core/timing.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mpi.h>
#include <string>
#include <utility>
#include <vector>

namespace pillar::comm {

class LivenessProbe {
  public:
    /// Local. Greets all others; `is_one_host`: they are on this rank's host.
    explicit LivenessProbe(bool is_one_host);
    /// Local, when all ranks have come to the end; not while an error unwinds.
    ~LivenessProbe();
    LivenessProbe(const LivenessProbe&) = delete;
    LivenessProbe& operator=(const LivenessProbe&) = delete;

    /// Whether all greetings have come and gone. The first message between two ranks makes MPI
    /// connect them: that must not happen when a network has failed, for it takes its time, and
    /// ends in pages of MPI's own.
    [[nodiscard]] bool has_greeted_all() noexcept;
    /// "rank 3 on pi4": known as soon as its greeting is here.
    [[nodiscard]] std::string name_of(int rank) const;

    /// Ask all others; earlier answers are forgotten.
    void ask(const Progress& own) noexcept;
    /// Answer who has asked, take in what has been answered.
    void listen(const Progress& own) noexcept;

    [[nodiscard]] int rank() const noexcept { return rank_; }
    [[nodiscard]] int size() const noexcept { return static_cast<int>(progress_.size()); }
    /// Since ask(). True for this rank itself.
    [[nodiscard]] bool has_answered(int rank) const noexcept {
        return answered_[static_cast<std::size_t>(rank)] != 0;
    }
    [[nodiscard]] bool all_have_answered() const noexcept { return n_answers_ == size(); }
    /// What a rank told in its last answer.
    [[nodiscard]] const Progress& progress(int rank) const noexcept {
        return progress_[static_cast<std::size_t>(rank)];
    }

    /// Questions and answers since the last call of this.
    Traffic take_sent() noexcept { return std::exchange(sent_, {}); }

  private:
    struct Message {
        std::uint32_t round = 0;     ///< the asking rank's
        std::uint32_t is_answer = 0; ///< as wide as it takes for no byte to be undefined
        Progress progress;
    };
    /// A message on its way. One that cannot leave (its receiver is stopped) keeps the next ones
    /// back.
    struct Sending {
        Message message;
        MPI_Request request = MPI_REQUEST_NULL;
    };
    /// The sender's host.
    using Greeting = std::array<char, 64>;
    void greet(int other);
    void send(std::vector<Sending>& to_ranks, int to, const Message& message) noexcept;
    void take(int from, const Message& message, const Progress& own) noexcept;

    int rank_ = 0;
    std::uint32_t round_ = 0;
    int n_answers_ = 1;
    std::vector<std::uint8_t> answered_;
    std::vector<Progress> progress_;
    Greeting own_greeting_{};
    std::vector<Greeting> hosts_; ///< empty: not known yet
    std::vector<MPI_Request> greetings_;
    bool has_greeted_all_ = false;
    std::vector<Sending> questions_; ///< one a rank
    std::vector<Sending> answers_;
    Traffic sent_;
};

} // namespace pillar::comm
