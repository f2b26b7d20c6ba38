// The recorder when the run does not end in order: signals, full media, kills.

#include "pillar/recording/recorder.hpp"

#include "recorder_steps.hpp"

#include "pillar/core/program.hpp"
#include "pillar/recording/convert.hpp"
#include "support/ranks/dry_run.hpp"
#include "support/temporary_directory.hpp"

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pillar::recording {
namespace {

using support::TemporaryDirectory;

TEST(Recorder, BringsItsOwnRecordsIntoTheJournalWhenItMustLeaveAtOnce) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    {
        const auto comm = support::make_self();
        Recorder recorder(*comm, options_for(path));
        recorder.step(Step(0, 0.0));
        recorder.gather();
        recorder.step(Step(1, 1.0));
        recorder.token(token(1));
        std::thread([&] { EXPECT_TRUE(recorder.flush_now()); }).join();
        recorder.step(Step(2, 2.0)); // too late
        EXPECT_FALSE(recorder.finish(ExitCode::resumable));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    const Conversion result = recover(path + ".journal", false);
    EXPECT_EQ(result.n_steps, 2);
    EXPECT_EQ(result.n_tokens, 1);
    EXPECT_FALSE(result.complete);
}

TEST(Recorder, DestroyedWithoutAnEndKeepsItsRecordsInTheJournal) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    {
        const auto comm = support::make_self();
        Recorder recorder(*comm, options_for(path));
        for (std::uint64_t n = 0; n < 3; ++n) recorder.step(Step(n, static_cast<double>(n)));
    }
    EXPECT_EQ(recover(path + ".journal", false).n_steps, 3);
}

TEST(Recorder, MayBeFlushedWhileTheMainThreadRecords) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    {
        const auto comm = support::make_self();
        Recorder recorder(*comm, options_for(path));
        std::jthread signal([&] { recorder.flush_now(); });
        for (std::uint64_t n = 0; n < 2000; ++n) {
            recorder.step(Step(n, static_cast<double>(n)));
            recorder.token(token(n));
            if (recorder.wants_gather()) recorder.gather();
        }
    }
    const Conversion result = recover(path + ".journal", false);
    EXPECT_EQ(result.n_bytes_damaged, 0);
    EXPECT_GE(result.n_steps, result.n_tokens);
    EXPECT_LE(result.n_steps, result.n_tokens + 1); // between a step and its token
}

/// A run on a medium that takes 3000 bytes; exits with 0 when the run itself saw nothing of it.
[[noreturn]] void run_on_a_full_medium(const std::string& path) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{3000, 3000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const auto comm = support::make_self();
    {
        Recorder recorder(*comm, options_for(path));
        for (std::uint64_t n = 0; n < 300; ++n) {
            recorder.step(Step(n, static_cast<double>(n)));
            recorder.token(token(n));
            if (recorder.wants_gather()) recorder.gather();
        }
        recorder.finish(ExitCode::done);
    }
    std::exit(0);
}

TEST(Recorder, OnAFullMediumWarnsOnceAndLetsTheRunGoOn) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    EXPECT_EXIT(run_on_a_full_medium(path), ::testing::ExitedWithCode(0),
                "^[^\n]*File too large; the trace ends here, the run goes on\n"
                "[^\n]*cannot[^\n]*report --recover[^\n]*\n$");
    const Conversion result = recover(path + ".journal", false);
    EXPECT_GT(result.n_steps, 0);
    EXPECT_LT(result.n_steps, 300);
    EXPECT_FALSE(result.complete);
}

Recorder* living = nullptr;

[[noreturn]] void throw_what_nobody_catches() {
    throw std::runtime_error("nobody catches this");
}

/// A run that is ended by a fault of the program after three steps.
[[noreturn]] void run_into_a_fault(const std::string& path, bool is_thrown) {
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    living = &recorder;
    set_abort_hook([]() noexcept { living->flush_now(); });
    tell_on_terminate();
    for (std::uint64_t n = 0; n < 3; ++n) recorder.step(Step(n, static_cast<double>(n)));
    const auto fail = [&]() noexcept {
        if (is_thrown) throw_what_nobody_catches();
        expects(false, "black is white");
    };
    fail();
    std::exit(1);
}

TEST(Recorder, KeepsTheLastStepsWhenAContractIsBrokenOrAnExceptionEndsTheProcess) {
    const TemporaryDirectory directory;
    for (const bool is_thrown : {false, true}) {
        const std::string path = directory.file(is_thrown ? "thrown.h5" : "broken.h5");
        EXPECT_EXIT(run_into_a_fault(path, is_thrown), ::testing::ExitedWithCode(70),
                    is_thrown ? "internal error: nobody catches this" : "black is white");
        EXPECT_EQ(recover(path + ".journal", false).n_steps, 3);
    }
}

/// The whole of a run of 40 steps in one gather that did not end.
std::string journal_of_one_gather(const std::string& path) {
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    for (std::uint64_t n = 0; n < 40; ++n) {
        recorder.step(Step(n, static_cast<double>(n)));
        recorder.token(token(n));
    }
    recorder.gather();
    std::ifstream file(path + ".journal", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Recorder, LosesNoMoreOfAGatherThanTheStepsThatAreCutOffAndSaysHowMany) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("x.h5");
    const std::string journal = path + ".journal";
    const std::string bytes = journal_of_one_gather(path);
    const std::size_t a_step = bytes.size() / 80; // the records of steps are more than half of all
    std::size_t n_before = 40;
    for (std::size_t length = bytes.size(); length > bytes.size() / 2; length -= a_step / 2) {
        std::ofstream(journal, std::ios::binary) << bytes.substr(0, length);
        const Conversion result = recover(journal, true);
        EXPECT_EQ(result.n_steps + result.n_steps_lost, 40) << length;
        EXPECT_LE(result.n_steps, n_before);
        EXPECT_GE(result.n_steps + 1, n_before); // half a step's record was cut off
        EXPECT_EQ(result.n_tokens, 40);
        n_before = result.n_steps;
    }
    EXPECT_LT(n_before, 40);
}

/// Steps and gathers for ever, telling through `report` how many steps are safe.
[[noreturn]] void run_until_killed(const std::string& path, int report) {
    const auto comm = support::make_self();
    Recorder recorder(*comm, options_for(path));
    for (std::uint64_t n = 0;; ++n) {
        recorder.step(Step(n, static_cast<double>(n)));
        recorder.token(token(n));
        if (n % 4 != 3) continue;
        recorder.gather();
        const std::uint64_t n_safe = n + 1;
        if (::write(report, &n_safe, sizeof n_safe) != sizeof n_safe) std::_Exit(1);
    }
}

TEST(Recorder, KilledAtAnyMomentLosesNothingThatWasGathered) {
    const TemporaryDirectory directory;
    for (int trial = 0; trial < 20; ++trial) {
        const std::string path = directory.file(std::to_string(trial) + ".h5");
        std::array<int, 2> pipe_ends{};
        ASSERT_EQ(::pipe(pipe_ends.data()), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) run_until_killed(path, pipe_ends[1]);
        ::close(pipe_ends[1]);
        std::uint64_t n_safe = 0;
        const auto n_wanted = static_cast<std::uint64_t>(4 + 37 * trial);
        while (n_safe < n_wanted) {
            ASSERT_EQ(::read(pipe_ends[0], &n_safe, sizeof n_safe), sizeof n_safe);
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        while (::read(pipe_ends[0], &n_safe, sizeof n_safe) == sizeof n_safe) {
        }
        ::close(pipe_ends[0]);
        const Conversion result = recover(path + ".journal", false);
        EXPECT_GE(result.n_steps, n_safe);
        EXPECT_GE(result.n_tokens, n_safe);
        EXPECT_FALSE(result.complete);
    }
}

} // namespace
} // namespace pillar::recording
