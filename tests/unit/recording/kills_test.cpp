// 200 runs that are killed at any moment and 200 journals that are cut anywhere: each becomes a
// trace with all that was in the journal.

#include "pillar/recording/convert.hpp"
#include "recorder_steps.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/trace/reader.hpp"
#include "support/ranks/dry_run.hpp"
#include "support/temporary_directory.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <new>
#include <random>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pillar::recording {
namespace {

using support::TemporaryDirectory;

constexpr int n_times = 200;

/// What a killed process has told before.
class SharedCounter {
  public:
    SharedCounter()
        : page_(::mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)),
          counter_(new (page_) Counter(0)) {}
    ~SharedCounter() { ::munmap(page_, sizeof(Counter)); }
    SharedCounter(const SharedCounter&) = delete;
    SharedCounter& operator=(const SharedCounter&) = delete;
    [[nodiscard]] std::atomic<std::uint64_t>& value() { return *counter_; }

  private:
    using Counter = std::atomic<std::uint64_t>;
    void* page_;
    Counter* counter_;
};

/// Steps and gathers for ever; `n_kept` is raised when a gather's steps are in the journal.
[[noreturn]] void record_until_killed(const std::string& path, std::atomic<std::uint64_t>& n_kept) {
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    for (std::uint64_t n = 0;; ++n) {
        recorder.step(Step(n, static_cast<double>(n)));
        recorder.token(token(n));
        if (n % 7 != 6) continue;
        recorder.gather();
        n_kept.store(n + 1);
    }
}

void expect_steps_in_order(const trace::Trace& trace) {
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        ASSERT_EQ(trace.steps[i].step, i);
        ASSERT_EQ(trace.steps[i].duration_s, 0.5);
        ASSERT_EQ(trace.at(i, 0).compute_s, 0.3125);
    }
}

TEST(Kills, LoseNothingThatWasInTheJournal) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5"), journal = path + ".journal";
    std::mt19937 random(20261130);
    std::uniform_int_distribution<int> microseconds(0, 3000);
    int n_with_steps = 0;
    for (int i = 0; i < n_times; ++i) {
        SharedCounter counter;
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) record_until_killed(path, counter.value());
        // Not before the header is there: a journal without one is another test's.
        while (!std::filesystem::exists(journal) || std::filesystem::file_size(journal) < 2000)
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        std::this_thread::sleep_for(std::chrono::microseconds(microseconds(random)));
        ::kill(child, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        const Conversion rows = recover(journal, true);
        EXPECT_FALSE(rows.complete);
        EXPECT_GE(rows.n_steps, counter.value().load()) << "kill " << i;
        const trace::Trace trace = trace::read_trace(path);
        ASSERT_EQ(trace.n_steps(), rows.n_steps);
        expect_steps_in_order(trace);
        n_with_steps += rows.n_steps > 0 ? 1 : 0;
        std::filesystem::remove(path);
    }
    EXPECT_GT(n_with_steps, n_times / 2); // they were killed while they recorded
}

std::string bytes_of_killed_run(const std::string& path) {
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    for (std::uint64_t n = 0; n < 40; ++n) {
        recorder.step(Step(n, static_cast<double>(n)));
        recorder.token(token(n));
        if (n % 10 == 9) recorder.gather();
    }
    std::ifstream file(path + ".journal", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Cuts, LoseNothingBeforeThem) {
    const TemporaryDirectory directory;
    const std::string bytes = bytes_of_killed_run(directory.file("whole.h5"));
    const std::string path = directory.file("cut.h5"), journal = path + ".journal";
    std::mt19937 random(1130);
    std::uniform_int_distribution<std::size_t> anywhere(0, bytes.size());
    std::vector<std::size_t> places(n_times);
    for (std::size_t& place : places) place = anywhere(random);
    std::ranges::sort(places);
    std::size_t n_before = 0, n_refused = 0;
    for (const std::size_t length : places) {
        std::ofstream(journal, std::ios::binary) << bytes.substr(0, length);
        try {
            const Conversion rows = recover(journal, true);
            EXPECT_GE(rows.n_steps, n_before)
                << "more was there, but fewer steps: cut at " << length;
            n_before = rows.n_steps;
            expect_steps_in_order(trace::read_trace(path));
        } catch (const FormatError&) { // the header was cut
            EXPECT_EQ(n_before, 0) << "cut at " << length;
            ++n_refused;
        }
    }
    EXPECT_GT(n_before, 30);
    EXPECT_LT(n_refused, n_times / 4);
}

} // namespace
} // namespace pillar::recording
