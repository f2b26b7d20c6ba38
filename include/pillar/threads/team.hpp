#pragma once
// The only module with OpenMP: a team of threads that stays together for a whole forward pass. Work
// is divided statically; between dependent steps the team meets at a barrier that spins and then
// yields, early when the team has fewer CPUs than threads (tests, laptops). The calling thread is
// worker 0 and the only one that communicates (MPI_THREAD_FUNNELED). No exception may leave a body:
// run() ends the process if one does.

#include "pillar/core/function_ref.hpp"
#include "pillar/core/sizes.hpp"

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <vector>

namespace pillar::threads {

/// What a thread does now and then while it waits for others; nullptr: nothing.
using WhileWaiting = const FunctionRef<void()>*;

/// What a thread has spent at barriers so far.
struct BarrierTime {
    double waited_s = 0; ///< until the others had come and the serial part was done
    double serial_s = 0; ///< main thread: in serial parts, while the others waited
};

/// Sense-reversing barrier for a fixed number of threads. Counts how often all have passed. Waiting
/// is added to `time` where one is given; who comes last reads no clock.
class Barrier {
  public:
    /// `is_oversubscribed`: the threads have fewer CPUs than they are, so waiting must not hold
    /// one.
    Barrier(int n_threads, bool is_oversubscribed) noexcept;
    /// Wait until all threads have arrived; what they wrote before is seen by all after.
    void wait(WhileWaiting do_this = nullptr, BarrierTime* time = nullptr) noexcept;
    /// The same with a serial part: when all have arrived, one of them runs `serial`, then all go
    /// on and see what it wrote. The thread that is to run it calls lead(), the others follow().
    void lead(FunctionRef<void()> serial, WhileWaiting do_this = nullptr,
              BarrierTime* time = nullptr) noexcept;
    void follow(BarrierTime* time = nullptr) noexcept;
    [[nodiscard]] std::size_t n_barriers() const noexcept {
        return generation_.load(std::memory_order_relaxed);
    }

  private:
    void open_next(std::size_t mine) noexcept;

    int n_threads_;
    double spin_s_;
    alignas(64) std::atomic<int> n_arrived_{0};
    alignas(64) std::atomic<std::size_t> generation_{0};
};

/// One thread's place in the team.
class Worker {
  public:
    Worker(int index, int count, Barrier& barrier, WhileWaiting while_waiting = nullptr,
           BarrierTime* time = nullptr) noexcept
        : index_(index), count_(count), barrier_(&barrier), while_waiting_(while_waiting),
          time_(time) {}
    [[nodiscard]] int index() const noexcept { return index_; }
    [[nodiscard]] int count() const noexcept { return count_; }
    [[nodiscard]] bool is_main() const noexcept { return index_ == 0; }
    /// This worker's part of [0, n): ⌊i·n/T⌋ … ⌊(i+1)·n/T⌋.
    [[nodiscard]] Range share(std::size_t n) const noexcept {
        const auto i = static_cast<std::size_t>(index_);
        const auto t = static_cast<std::size_t>(count_);
        return {i * n / t, (i + 1) * n / t};
    }
    void barrier() const noexcept { barrier_->wait(while_waiting_, time_); }
    /// A barrier with a serial part (communication, a little work that is not worth sharing): when
    /// all have arrived, the main thread alone runs `serial`, then all go on. One barrier.
    void serial(FunctionRef<void()> serial) const noexcept {
        if (is_main())
            barrier_->lead(serial, while_waiting_, time_);
        else
            barrier_->follow(time_);
    }

  private:
    int index_;
    int count_;
    Barrier* barrier_;
    WhileWaiting while_waiting_; ///< of the main thread alone
    BarrierTime* time_;          ///< the thread's own
};

/// CPUs this process may use: min(affinity mask, cgroup v1/v2 CPU quota rounded up); ≥ 1.
int available_cpus();

class Team {
  public:
    /// `n_threads` ≥ 1. Starts the threads (none for 1); size() is what OpenMP granted, which a
    /// thread limit in the environment may make smaller. `n_cpus`: what the team has to itself; a
    /// larger team yields early when it waits. Throws Error(refused) where the system starts no
    /// such number.
    explicit Team(int n_threads, int n_cpus = available_cpus());
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;
    [[nodiscard]] int size() const noexcept { return n_threads_; }
    /// Run `body` on every thread of the team and return when all are done; what was written
    /// before is seen inside, what is written inside is seen after. `body` must not throw and must
    /// not run a team itself. Call it from the thread that made the team.
    void run(FunctionRef<void(Worker)> body) noexcept;
    /// The same; the main thread calls `while_waiting` again and again when it has waited at a
    /// barrier for longer than a moment.
    void run(FunctionRef<void(Worker)> body, FunctionRef<void()> while_waiting) noexcept;
    /// The barrier of the bodies; run()'s own barriers are not counted there.
    [[nodiscard]] const Barrier& barrier() const noexcept { return barrier_; }
    /// Seconds that a thread has waited at barriers for other threads since the team was made. What
    /// the main thread did meanwhile in serial parts (communication) is nobody's waiting. Not while
    /// a body runs.
    [[nodiscard]] double waited_s(int thread) const noexcept {
        const BarrierTime& time = times_[static_cast<std::size_t>(thread)].time;
        return thread == 0 ? time.waited_s : time.waited_s - times_[0].time.serial_s;
    }

  private:
    void run(FunctionRef<void(Worker)> body, WhileWaiting while_waiting) noexcept;
    void fork() noexcept;
    void work(int index, int count) noexcept;

    struct alignas(64) OwnTime { // a line of the cache each: threads write while others do
        BarrierTime time;
    };

    int n_threads_;
    Barrier barrier_;
    Barrier last_;
    std::vector<OwnTime> times_; ///< (n_threads)
    const FunctionRef<void(Worker)>* body_ = nullptr;
    WhileWaiting while_waiting_ = nullptr;
};

/// The smallest CPU quota of this process's control groups and their ancestors, rounded up; 0: no
/// quota. `root` stands for "/".
int cpu_quota(const std::filesystem::path& root = "/");
/// Sets cpus[i], i < capacity, to whether this thread may run on CPU i; returns how many CPUs there
/// are in its mask (also beyond the capacity).
std::size_t affinity_mask(bool* cpus, std::size_t capacity) noexcept;
/// The CPUs that the threads of this process may run on, ascending: the affinity mask it was
/// started with, also when OpenMP has bound the main thread to a part of it (OMP_PROC_BIND).
std::vector<int> process_cpus();

} // namespace pillar::threads
