// The step loop on one rank: equal bits whatever stands beside a row, nothing allocated between
// steps, clean ends.

#include "pillar/engine/loop.hpp"

#include "message.hpp"
#include "pillar/comm/agree.hpp"
#include "pillar/engine/evaluation.hpp"
#include "support/memory_requests.hpp"
#include "support/model_files.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <new>
#include <stdexcept>
#include <thread>

namespace pillar::engine {
namespace {

using support::ModelFile;
using support::OneRank;
using support::TinyModel;

const ModelFile& tiny() {
    static const ModelFile model(TinyModel{.n_layers = 3,
                                           .dim = 256,
                                           .n_heads = 6,
                                           .n_kv_heads = 2,
                                           .head_dim = 80,
                                           .ffn = 704,
                                           .context = 1024,
                                           .type = std::nullopt});
    return model;
}

forward::TransformerOptions sized(std::size_t max_rows, std::size_t max_sequences) {
    forward::TransformerOptions options;
    options.n_context = 512;
    options.max_rows = max_rows;
    options.max_logit_rows = max_rows;
    options.max_sequences = max_sequences;
    return options;
}

/// Plays given plans and keeps the logits of every row, by sequence and position.
class Script : public Scheduler {
  public:
    explicit Script(std::vector<StepPlan> plans) : plans_(std::move(plans)) {}
    bool next(StepPlan& plan) override {
        if (at_ == plans_.size()) return false;
        plan = plans_[at_++];
        return true;
    }
    void done(std::uint64_t, const StepPlan& plan, std::span<const RowOutcome> outcomes,
              bool) override {
        for (const RowOutcome& outcome : outcomes) {
            const forward::Row& row = plan.rows[outcome.row];
            auto& bits = logits[{row.sequence, row.position}];
            bits.clear();
            for (const float logit : outcome.full_logits)
                bits.push_back(std::bit_cast<std::uint32_t>(logit));
        }
    }
    std::map<std::pair<int, int>, std::vector<std::uint32_t>> logits;

  private:
    std::vector<StepPlan> plans_;
    std::size_t at_ = 0;
};

LoopOptions whole_rows() {
    LoopOptions options;
    options.full_logits = true;
    options.n_candidates = 0;
    return options;
}

std::int32_t token(int sequence, int position) {
    return 3 + (sequence * 37 + position * 11) % 300;
}

StepPlan step(const std::vector<std::pair<int, int>>& rows) {
    StepPlan plan;
    for (const auto& [sequence, position] : rows)
        plan.rows.push_back({token(sequence, position), position, sequence, true});
    return plan;
}

std::map<std::pair<int, int>, std::vector<std::uint32_t>> play(OneRank& rank,
                                                               std::vector<StepPlan> plans) {
    Loop loop(rank.transformer(), rank.comm(), whole_rows());
    Script script(std::move(plans));
    EXPECT_FALSE(loop.run(&script));
    return script.logits;
}

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

TEST(loop, allocates_nothing_between_steps) {
    OneRank rank(tiny(), sized(8, 1), 2);
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

TEST(loop, merges_the_answers_of_any_number_of_ranks) {
    OneRank rank(tiny(), sized(4, 1));
    const auto many =
        comm::make_dry_run(0, 600, comm::Algorithm::recursive_doubling, comm::Wire::f32);
    LoopOptions options;
    options.n_candidates = 4;
    options.log_sums = true;
    Loop loop(rank.transformer(), *many, options);
    struct One : Scheduler {
        bool next(StepPlan& plan) override {
            if (is_done) return false;
            plan.rows.push_back({3, 0, 0, true});
            return true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome> outcomes,
                  bool) override {
            is_done = true;
            n_candidates = outcomes[0].candidates.size();
        }
        bool is_done = false;
        std::size_t n_candidates = 0;
    } one;
    EXPECT_FALSE(loop.run(&one));
    EXPECT_EQ(one.n_candidates, 4u);
}

/// The bytes of a default T, made where every byte was `before`.
template <class T>
std::vector<std::byte> bytes_over(std::byte before) {
    alignas(T) std::array<std::byte, sizeof(T)> memory{};
    memory.fill(before);
    new (memory.data()) T{};
    std::vector<std::byte> bytes(sizeof(T));
    std::memcpy(bytes.data(), memory.data(), sizeof(T));
    return bytes;
}

template <class T>
void expect_no_undefined_bytes() {
    EXPECT_EQ(bytes_over<T>(std::byte{0xAA}), bytes_over<T>(std::byte{0x55})) << sizeof(T);
}

TEST(message, has_no_undefined_bytes) {
    expect_no_undefined_bytes<RequestHead>();
    expect_no_undefined_bytes<RequestRow>();
    expect_no_undefined_bytes<StepPlan::Keep>();
    expect_no_undefined_bytes<StepPlan::Sampling>();
    expect_no_undefined_bytes<ReplyHead>();
    expect_no_undefined_bytes<ReplyRow>();
    expect_no_undefined_bytes<ReplyCandidate>();
}

TEST(loop, offers_the_best_candidates_with_raw_logits_after_bans_and_penalties) {
    OneRank plain(tiny(), sized(4, 1)), candid(tiny(), sized(4, 1));
    const auto logits = play(plain, {step({{0, 0}})}).at({0, 0});
    LoopOptions options;
    options.n_candidates = 5;
    const auto best = static_cast<std::int32_t>(
        std::max_element(
            logits.begin(), logits.end(),
            [](auto a, auto b) { return std::bit_cast<float>(a) < std::bit_cast<float>(b); }) -
        logits.begin());
    options.banned = {best};
    Loop loop(candid.transformer(), candid.comm(), options);
    struct Keep : Scheduler {
        std::vector<sampling::Candidate> candidates;
        std::vector<float> raw;
        bool fed = false;
        bool next(StepPlan& plan) override {
            if (fed) return false;
            plan = step({{0, 0}});
            return fed = true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome> outcomes,
                  bool) override {
            candidates.assign(outcomes[0].candidates.begin(), outcomes[0].candidates.end());
            raw.assign(outcomes[0].raw_logits.begin(), outcomes[0].raw_logits.end());
        }
    } keep;
    loop.run(&keep);
    ASSERT_EQ(keep.candidates.size(), 5u);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_NE(keep.candidates[i].id, best);
        EXPECT_EQ(std::bit_cast<std::uint32_t>(keep.raw[i]),
                  logits[static_cast<std::size_t>(keep.candidates[i].id)]);
        if (i > 0) {
            EXPECT_GE(keep.candidates[i - 1].logit, keep.candidates[i].logit);
        }
    }
}

/// A presence penalty on sequence 1 alone, and the same token in both sequences.
std::vector<std::vector<sampling::Candidate>> candidates_of_two() {
    OneRank rank(tiny(), sized(4, 2));
    LoopOptions options;
    options.full_logits = true;
    Loop loop(rank.transformer(), rank.comm(), options);
    struct Keep : Scheduler {
        std::vector<std::vector<sampling::Candidate>> of_rows;
        bool fed = false;
        bool next(StepPlan& plan) override {
            if (fed) return false;
            for (const std::int32_t sequence : {0, 1}) plan.rows.push_back({7, 0, sequence, true});
            StepPlan::Sampling own;
            own.sequence = 1;
            own.parameters.presence_penalty = 1000;
            plan.samplings.push_back(own);
            return fed = true;
        }
        void done(std::uint64_t, const StepPlan&, std::span<const RowOutcome> outcomes,
                  bool) override {
            for (const RowOutcome& outcome : outcomes)
                of_rows.emplace_back(outcome.candidates.begin(), outcome.candidates.end());
        }
    } keep;
    loop.run(&keep);
    return keep.of_rows;
}

TEST(loop, gives_each_sequence_its_own_penalties_with_whole_rows_too) {
    const auto logit_of_7 = [](const std::vector<sampling::Candidate>& candidates) {
        const auto found = std::ranges::find(candidates, 7, &sampling::Candidate::id);
        return found == candidates.end() ? -1e9f : found->logit;
    };
    const auto whole = candidates_of_two();
    ASSERT_EQ(whole.size(), 2u);
    EXPECT_EQ(logit_of_7(whole[1]), logit_of_7(whole[0]) - 1000.0f);
}

TEST(loop_bytes, of_whole_rows_are_one_slice_on_a_rank_that_only_replies) {
    constexpr std::size_t n_vocab = 32'000, n_rows = 64;
    constexpr std::size_t whole = n_vocab * n_rows * sizeof(float); // 8 MB: all rows with logits
    forward::TransformerOptions options;
    options.n_context = 512;
    options.max_logit_rows = n_rows;
    const partition::Sizes sizes{32, 8, 64, 5632, n_vocab};
    const auto bytes = [&](int rank, int n_ranks) {
        return loop_bytes(sizes, partition::even_share(sizes, rank, n_ranks), options,
                          whole_rows());
    };
    constexpr std::size_t small = 100'000; // histories, headers, one adjusted row
    // Own reply, and a message in the gather buffer for each rank of the subtree.
    const std::size_t n_messages[] = {8, 1, 2, 1, 4, 1, 2, 1};
    for (int rank = 1; rank < 8; ++rank) {
        const std::size_t expected = whole / 8 * (1 + n_messages[rank]);
        EXPECT_GE(bytes(rank, 8), expected) << rank;
        EXPECT_LE(bytes(rank, 8), expected + small) << rank;
    }
    // Rank 0: its own, all of them gathered, and the rows put together.
    EXPECT_GE(bytes(0, 8), whole / 8 + 2 * whole);
    EXPECT_LE(bytes(0, 8), whole / 8 + 2 * whole + small);
    EXPECT_GE(bytes(0, 1), 3 * whole);
    EXPECT_LE(bytes(0, 1), 3 * whole + 3 * small);
    // A third of the ranks own most of the vocabulary: room for the longest reply a message.
    const double weights[] = {0.8, 0.1, 0.1};
    const auto leaf = partition::share_of(sizes, 1, 3, weights);
    EXPECT_LE(loop_bytes(sizes, leaf, options, whole_rows()), whole + small);
}

TEST(loop_bytes, are_what_a_loop_asks_for) {
    forward::TransformerOptions options = sized(8, 1);
    for (const std::size_t n_candidates : {std::size_t{0}, std::size_t{40}}) {
        LoopOptions loop_options = whole_rows();
        loop_options.n_candidates = n_candidates;
        OneRank rank(tiny(), options);
        const std::uint64_t before = support::n_requested_bytes();
        const Loop loop(rank.transformer(), rank.comm(), loop_options);
        const std::uint64_t asked = support::n_requested_bytes() - before;
        const std::uint64_t planned =
            loop_bytes(tiny().h().sizes(), rank.transformer().share(), options, loop_options);
        EXPECT_LE(asked, planned + 8192); // the order, small lists
        EXPECT_GE(asked, planned);
    }
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
    const auto comm = comm::make_dry_run(0, 1, comm::Algorithm::direct, comm::Wire::f32);
    threads::Team team(1);
    forward::Transformer transformer(file, h, partition::even_share(h.sizes(), 0, 1),
                                     *kernels::find_family("integer"), sized(4, 1), team,
                                     [](std::uint64_t) {});
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
