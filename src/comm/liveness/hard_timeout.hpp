#pragma once
// A plain thread that ends this process when the main thread does not come back from MPI: the
// launcher then ends the job. It calls nothing of MPI, as MPI_THREAD_FUNNELED asks, and works while
// the main thread cannot.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <limits>
#include <mutex>
#include <string>
#include <thread>

namespace pillar::comm {

class HardTimeout {
  public:
    /// `sentence` is called on the thread, when it is too late. Throws Error(refused) where no
    /// thread can be started.
    explicit HardTimeout(std::function<std::string()> sentence);
    ~HardTimeout();
    HardTimeout(const HardTimeout&) = delete;
    HardTimeout& operator=(const HardTimeout&) = delete;

    /// Print the sentence and end the process with ExitCode::peer_lost unless disarm() or another
    /// arm() comes before `until_s` on monotonic_s().
    void arm(double until_s) noexcept { until_s_.store(until_s, std::memory_order_relaxed); }
    void disarm() noexcept { arm(std::numeric_limits<double>::infinity()); }

  private:
    void watch();

    std::function<std::string()> sentence_;
    std::atomic<double> until_s_{std::numeric_limits<double>::infinity()};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_done_ = false;
    std::thread thread_; ///< last: it uses the rest
};

} // namespace pillar::comm
