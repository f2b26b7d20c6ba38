// The step loop on one rank: equal bits whatever stands beside a row, nothing allocated between
// steps, clean ends.

#include "pillar/engine/loop.hpp"

#include "script.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/engine/evaluation.hpp"
#include "support/memory_requests.hpp"
#include "support/ranks/dry_run.hpp"

#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

namespace pillar::engine {
namespace {

TEST(step_record, counts_rows_and_what_they_see) {
    StepRecord record;
    // Three rows of sequence 0 at positions 4 to 6, and between them one of sequence 2 at 9.
    const std::vector<forward::Row> rows{
        {7, 4, 0, false}, {7, 5, 0, false}, {8, 9, 2, true}, {7, 6, 0, true}};
    count_rows(rows, record);
    EXPECT_EQ(record.n_rows, 4);
    EXPECT_EQ(record.n_logits, 2);
    EXPECT_EQ(record.n_attended, 5 + 6 + 10 + 7);
    EXPECT_EQ(record.n_cached, 7 + 10);
    EXPECT_EQ(record.n_sequences, 2);
}

TEST(loop, gives_a_sequence_the_same_bits_alone_and_beside_others) {
    constexpr int n = 9;
    std::vector<StepPlan> alone, together;
    for (int p = 0; p < n; ++p) alone.push_back(step({{0, p}}));
    // sequences 1 and 2 start later, in chunks of their own
    for (int p = 0; p < n; ++p) {
        std::vector<std::pair<int, int>> rows;
        if (p >= 2) rows.insert(rows.end(), {{1, 2 * (p - 2)}, {1, 2 * (p - 2) + 1}});
        rows.emplace_back(0, p);
        if (p >= 4) rows.emplace_back(2, p - 4);
        together.push_back(step(rows));
    }
    OneRank one(tiny(), sized(4, 1)), three(tiny(), sized(4, 3), 2);
    const auto a = play(one, alone), b = play(three, together);
    for (int p = 0; p < n; ++p) EXPECT_EQ(a.at({0, p}), b.at({0, p})) << "position " << p;
}

TEST(loop, gives_the_same_bits_for_any_chunk_and_number_of_threads) {
    std::vector<std::map<std::pair<int, int>, std::vector<std::uint32_t>>> results;
    for (const auto& [chunk, n_threads] : {std::pair{1, 1}, {7, 2}, {16, 3}}) {
        OneRank rank(tiny(), sized(16, 1), n_threads);
        std::vector<StepPlan> plans;
        for (int p = 0; p < 21; p += chunk) {
            std::vector<std::pair<int, int>> rows;
            for (int q = p; q < std::min(p + chunk, 21); ++q) rows.emplace_back(0, q);
            plans.push_back(step(rows));
        }
        results.push_back(play(rank, plans));
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
}

TEST(loop, continues_a_sequence_that_was_cut_back_as_if_the_rest_had_never_been) {
    OneRank straight(tiny(), sized(8, 1)), rewound(tiny(), sized(8, 1));
    std::vector<StepPlan> plans;
    for (int p = 0; p < 6; ++p) plans.push_back(step({{0, p}}));
    const auto expected = play(straight, plans);
    std::vector<StepPlan> detour(plans.begin(), plans.begin() + 3);
    StepPlan wrong = step({{0, 3}});
    wrong.rows[0].token = 299;
    detour.push_back(wrong);
    StepPlan back = step({{0, 3}});
    back.keeps.push_back({0, 3});
    detour.push_back(back);
    detour.insert(detour.end(), plans.begin() + 4, plans.end());
    EXPECT_EQ(play(rewound, detour).at({0, 5}), expected.at({0, 5}));
}

void expect_no_allocation_between_steps(const ModelFile& model) {
    OneRank rank(model, sized(8, 1), 2);
    LoopOptions options;
    options.n_candidates = 40;
    options.log_sums = true;
    options.sampling.repeat_penalty = 1.1f;
    Loop loop(rank.transformer(), rank.comm(), options);
    struct Decode : Scheduler {
        std::int32_t last = 5, position = 0;
        std::size_t at_sixteen = 0, at_end = 0;
        bool next(StepPlan& plan) override {
            if (position == 16) at_sixteen = support::n_memory_requests();
            if (position == 300) at_end = support::n_memory_requests(); // over a page border
            if (position == 300) return false;
            plan.rows.push_back({last, position++, 0, true});
            return true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome> outcomes,
                  bool) override {
            last = outcomes[0].candidates[static_cast<std::size_t>(position) % 3].id;
        }
    } decode;
    loop.run(&decode);
    EXPECT_EQ(decode.at_end, decode.at_sixteen);
}

TEST(loop, allocates_nothing_between_steps) {
    expect_no_allocation_between_steps(tiny());
}

TEST(loop, allocates_nothing_between_steps_with_experts) {
    expect_no_allocation_between_steps(
        ModelFile(support::TinyModel{.n_experts = 9, .n_experts_used = 4, .context = 512}));
}

TEST(loop, ends_with_the_error_of_a_scheduler) {
    OneRank rank(tiny(), sized(4, 1));
    Loop loop(rank.transformer(), rank.comm(), {});
    struct Broken : Scheduler {
        bool next(StepPlan& plan) override {
            plan.rows.push_back({3, 0, 0, true});
            return true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome>, bool) override {
            throw IoError(ExitCode::io, "standard output", "cannot write: Broken pipe");
        }
    } broken;
    try {
        loop.run(&broken);
        FAIL() << "no error";
    } catch (const comm::AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::io);
        EXPECT_STREQ(error.what(), "standard output: cannot write: Broken pipe");
    }
}

TEST(loop, ends_with_a_sentence_whatever_a_scheduler_throws) {
    OneRank rank(tiny(), sized(4, 1));
    struct Broken : Scheduler {
        bool next(StepPlan&) override {
            if (memory) throw std::bad_alloc();
            throw std::logic_error("two and two are five");
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome>, bool) override {}
        bool memory = true;
    } broken;
    const auto outcome = [&]() -> std::pair<ExitCode, std::string> {
        Loop loop(rank.transformer(), rank.comm(), {});
        try {
            loop.run(&broken);
        } catch (const comm::AgreedError& error) {
            return {error.code(), error.what()};
        }
        return {};
    };
    const auto [refused, about_memory] = outcome();
    EXPECT_EQ(refused, ExitCode::refused);
    EXPECT_TRUE(about_memory.starts_with("memory has run out")) << about_memory;
    broken.memory = false;
    const auto [internal, about_numbers] = outcome();
    EXPECT_EQ(internal, ExitCode::internal);
    EXPECT_TRUE(about_numbers.find("two and two are five") != std::string::npos) << about_numbers;
}

TEST(loop_death, a_row_beyond_what_there_is_room_for_ends_the_process_before_it_is_written) {
    for (const auto& [sequence, position] : {std::pair{1, 0}, {-1, 0}, {0, 512}, {0, -1}}) {
        OneRank rank(tiny(), sized(4, 1));
        EXPECT_DEATH(play(rank, {step({{sequence, position}})}), "sequence|position");
    }
}

TEST(loop, ends_when_the_model_file_is_written_to_in_place) {
    const support::TemporaryDirectory folder;
    const std::string bytes = support::build_tiny_model({.n_layers = 1}).bytes();
    support::write_file(folder / "model.gguf", bytes);
    const gguf::File file(folder / "model.gguf");
    const auto h = model::read_hyperparameters(file);
    const auto comm = support::make_dry_run(0, 1, comm::Algorithm::direct, comm::Wire::f32);
    threads::Team team(1);
    const model::Model model(file, h, partition::even_share(h.sizes(), 0, 1),
                             *kernels::find_family("integer"), team, false, [](std::uint64_t) {});
    forward::Transformer transformer(model, sized(4, 1), team);
    struct Overwrite : Scheduler {
        std::function<void()> overwrite;
        int n_done = 0;
        bool next(StepPlan& plan) override {
            if (n_done == 3) overwrite();
            plan.rows.push_back({5, n_done, 0, true});
            return true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome>, bool) override {
            ++n_done;
        }
    } scheduler;
    scheduler.overwrite = [&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20)); // a file system's clock ticks
        support::write_file(folder / "model.gguf", bytes);
    };
    Loop loop(transformer, *comm, {});
    try {
        loop.run(&scheduler);
        FAIL() << "no error";
    } catch (const comm::AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::io);
        EXPECT_NE(std::string(error.what()).find("was changed"), std::string::npos) << error.what();
    }
    EXPECT_EQ(scheduler.n_done, 3);
}

} // namespace
} // namespace pillar::engine
