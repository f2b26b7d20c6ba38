// Sentences of agreed errors, on a communicator whose other ranks are planted.

#include "pillar/comm/agree.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <new>
#include <stdexcept>
#include <system_error>

namespace pillar::comm {
namespace {

/// Rank 0 of a job whose other ranks always give the same answer.
class Planted final : public Communicator {
  public:
    Planted(std::vector<std::string> hosts, std::vector<std::string> others)
        : hosts_(std::move(hosts)), others_(std::move(others)) {}
    [[nodiscard]] int rank() const noexcept override { return 0; }
    [[nodiscard]] int size() const noexcept override { return static_cast<int>(hosts_.size()); }
    [[nodiscard]] std::string_view host(int rank) const noexcept override {
        return hosts_[static_cast<std::size_t>(rank)];
    }
    std::vector<std::string> all_gather(std::string_view bytes) override {
        std::vector<std::string> all = {std::string(bytes)};
        all.insert(all.end(), others_.begin(), others_.end());
        return all;
    }
    void allreduce(std::span<float> /*values*/) override {}
    std::size_t broadcast(std::span<std::byte> /*buffer*/, std::size_t n_bytes) override {
        return n_bytes;
    }
    void gather(std::span<const std::byte> /*message*/, GatherBuffer& /*all*/) override {}
    std::vector<std::string> gather_to_root(std::string_view bytes) override {
        return all_gather(bytes);
    }
    std::string broadcast_from_root(std::string_view bytes) override { return std::string(bytes); }
    void barrier() override {}
    std::vector<ClockOffset> clock_offsets() override { return {}; }

  private:
    std::vector<std::string> hosts_;
    std::vector<std::string> others_;
};

void expect_agreed(FunctionRef<void()> call, ExitCode code, const std::string& sentence) {
    try {
        call();
        ADD_FAILURE() << "nothing was thrown";
    } catch (const AgreedError& error) {
        EXPECT_EQ(error.code(), code);
        EXPECT_EQ(error.what(), sentence);
    }
}

const auto succeed = [] {};
const auto lack_memory = [] { throw Error(ExitCode::refused, "too little memory"); };

TEST(agree, is_silent_when_all_succeed) {
    Planted comm({"pi1", "pi2"}, {""});
    EXPECT_NO_THROW(agree(comm, succeed));
}

TEST(agree, throws_the_error_of_the_lowest_failing_rank) {
    Planted comm({"pi1", "pi2", "pi3"}, {"74 disk is gone", "65 bad header"});
    expect_agreed([&] { agree(comm, succeed); }, ExitCode::io, "rank 1 on pi2: disk is gone");
    expect_agreed([&] { agree(comm, lack_memory); }, ExitCode::refused,
                  "rank 0 on pi1: too little memory");
}

TEST(agree, names_no_rank_when_all_failed_alike) {
    Planted comm({"pi1", "pi2"}, {"77 too little memory"});
    expect_agreed([&] { agree(comm, lack_memory); }, ExitCode::refused, "too little memory");
}

TEST(agree, names_the_rank_when_all_failed_differently) {
    Planted comm({"pi1", "pi2"}, {"77 too little memory for 3 heads"});
    expect_agreed([&] { agree(comm, lack_memory); }, ExitCode::refused,
                  "rank 0 on pi1: too little memory");
}

TEST(agree, takes_other_exceptions_as_internal_faults) {
    Planted comm({"pi1", "pi2"}, {""});
    const auto sentence = [](const char* what) {
        return fmt::format("rank 0 on pi1: internal error: {}; please report it with the command "
                           "line",
                           what);
    };
    expect_agreed([&] { agree(comm, [] { throw std::out_of_range("index 7"); }); },
                  ExitCode::internal, sentence("index 7"));
    expect_agreed([&] { agree(comm, [] { throw 7; }); }, ExitCode::internal,
                  sentence("something was thrown that is not an exception"));
}

TEST(agree, takes_memory_and_threads_that_run_out_as_refusals) {
    Planted comm({"pi1", "pi2"}, {""});
    for (const bool memory : {true, false}) {
        try {
            agree(comm, [&] {
                if (memory) throw std::bad_alloc();
                throw std::system_error(EAGAIN, std::generic_category(), "thread");
            });
            ADD_FAILURE() << "nothing was thrown";
        } catch (const AgreedError& error) {
            EXPECT_EQ(error.code(), ExitCode::refused);
            EXPECT_NE(std::string_view(error.what()).find("rank 0 on pi1: "),
                      std::string_view::npos);
            EXPECT_NE(std::string_view(error.what()).find("ulimit -v"), std::string_view::npos);
        }
    }
}

TEST(expect_same, is_silent_when_all_are_the_same) {
    Planted comm({"pi1", "pi2"}, {"a"});
    EXPECT_NO_THROW(expect_same(comm, "model header", "a"));
}

TEST(expect_same, lists_hosts_by_group) {
    Planted comm({"pi1", "pi2", "pi3", "pi4"}, {"3f", "9c", "3f"});
    expect_agreed([&] { expect_same(comm, "model header", "3f"); }, ExitCode::disagree,
                  "model header differs: pi1, pi2, pi4 have 3f; pi3 has 9c");
    expect_agreed([&] { expect_same(comm, "model header", "", ExitCode::bad_data); },
                  ExitCode::bad_data,
                  "model header differs: pi1 has nothing; pi2, pi4 have 3f; pi3 has 9c");
}

TEST(expect_same, names_a_host_once_and_its_ranks_only_when_they_differ) {
    Planted comm({"pi1", "pi1", "pi2", "pi2"}, {"a", "b", "c"});
    expect_agreed([&] { expect_same(comm, "option", "a"); }, ExitCode::disagree,
                  "option differs: pi1 has a; rank 2 on pi2 has b; rank 3 on pi2 has c");
}

TEST(expect_same, keeps_long_values_apart_that_begin_alike) {
    const std::string same(100, 'x');
    Planted comm({"pi1", "pi2"}, {same + "2"});
    try {
        expect_same(comm, "command line", same + "1");
        FAIL();
    } catch (const AgreedError& error) {
        const std::string text = error.what();
        EXPECT_LT(text.size(), 300u);
        const auto first = text.find('[');
        const auto second = text.find('[', first + 1);
        ASSERT_NE(second, std::string::npos) << text;
        EXPECT_NE(text.substr(first, 18), text.substr(second, 18));
    }
}

TEST(expect_same, prints_no_control_characters) {
    Planted comm({"pi1", "pi2"}, {"\x1b[31mred"});
    try {
        expect_same(comm, "name", "plain");
        FAIL();
    } catch (const AgreedError& error) {
        EXPECT_EQ(std::string(error.what()).find('\x1b'), std::string::npos);
    }
}

} // namespace
} // namespace pillar::comm
