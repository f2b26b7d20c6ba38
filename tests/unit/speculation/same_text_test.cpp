// Proposals change no text, whoever makes them and whatever becomes of them: one sequence, turns of
// a chat, sequences of a batch.

#include "pillar/engine/cached_generation.hpp"
#include "pillar/engine/continuous_batch.hpp"
#include "pillar/engine/generation.hpp"
#include "pillar/speculation/model_draft.hpp"
#include "pillar/speculation/ngram.hpp"
#include "unit/engine/script.hpp"

#include "pillar/gguf/value.hpp"

#include <gtest/gtest.h>

namespace pillar::engine {
namespace {

using speculation::ModelProposer, speculation::NgramProposer;
using Tokens = std::vector<sampling::TokenId>;

/// Steps take the same time however many rows they have: all proposals pay.
template <class Base>
class Eager : public Base {
  public:
    using Base::Base;
    void step_took(std::size_t n_rows, double /*seconds*/) override { Base::step_took(n_rows, 5); }
};

/// Smaller than the engine's, which does not matter here.
const ModelFile& small() {
    static const ModelFile model(
        TinyModel{.n_layers = 2, .dim = 64, .context = 1024, .type = std::nullopt});
    return model;
}

const tokenizer::Tokenizer& tiny_tokenizer() {
    static const tokenizer::Tokenizer tokenizer(small().file().metadata());
    return tokenizer;
}

/// Of the same vocabulary, with other weights.
const ModelFile& other_model() {
    static const ModelFile model(
        TinyModel{.n_layers = 1, .dim = 64, .context = 1024, .type = std::nullopt, .seed = 5});
    return model;
}

const ModelFile& with_windows() {
    static const ModelFile model(TinyModel{.architecture = "gemma3",
                                           .n_layers = 3,
                                           .context = 2048,
                                           .window = 245,
                                           .window_pattern = 2});
    return model;
}

forward::TransformerOptions sized_for_drafts(std::size_t max_sequences) {
    forward::TransformerOptions options = sized(64, max_sequences);
    options.n_context = 1024;
    options.max_back = max_draft + 1;
    return options;
}

enum class Who { nobody, text, itself, other };

/// A model, perhaps a draft model, and who proposes.
class Machine {
  public:
    Machine(const ModelFile& of, Who who, std::size_t n_most, std::size_t max_sequences = 1,
            std::size_t n_pages = 0)
        : rank_(of, options(max_sequences, n_pages)) {
        if (who == Who::text)
            proposer_ = std::make_unique<Eager<NgramProposer>>(n_most, max_sequences);
        if (who != Who::itself && who != Who::other) return;
        draft_.emplace(who == Who::itself ? of : other_model(), options(max_sequences, n_pages));
        forward::Transformer& draft = draft_->transformer();
        speculation::ModelDraftOptions wanted = draft_options(n_most);
        wanted.max_sequences = max_sequences;
        wanted.n_pages = n_pages != 0 ? n_pages : 4 * max_sequences;
        wanted.shares_pages = draft.shares_pages();
        proposer_ = std::make_unique<Eager<ModelProposer>>(
            wanted, [&draft](std::int32_t slot, std::int32_t n) { return draft.keeps(slot, n); });
    }
    static speculation::ModelDraftOptions draft_options(std::size_t n_most) {
        return {.n_most = n_most, .max_rows = 64, .n_context = 1024, .n_pages = 4, .n_vocab = 384};
    }
    static forward::TransformerOptions options(std::size_t max_sequences, std::size_t n_pages) {
        forward::TransformerOptions all = sized_for_drafts(max_sequences);
        all.n_pages = n_pages;
        return all;
    }
    std::unique_ptr<Loop> loop(const LoopOptions& options) {
        return std::make_unique<Loop>(rank_.transformer(), rank_.comm(), options,
                                      draft_ ? &draft_->transformer() : nullptr);
    }
    Proposer* proposer() { return proposer_.get(); }
    forward::Transformer& transformer() { return rank_.transformer(); }

  private:
    OneRank rank_;
    std::optional<OneRank> draft_;
    std::unique_ptr<Proposer> proposer_;
};

struct Generated {
    std::string text;
    Tokens ids;
    FinishReason reason = FinishReason::none;
    bool operator==(const Generated&) const = default;
};

Generated generated(const Sequence& sequence) {
    return {sequence.completion(),
            {sequence.generated().begin(), sequence.generated().end()},
            sequence.finish_reason()};
}

LoopOptions loop_options(const sampling::Parameters& sampling) {
    LoopOptions options;
    options.sampling = sampling;
    options.n_candidates = 64;
    return options;
}

Generated generate(const ModelFile& model, const Tokens& prompt, const SequenceOptions& of, Who who,
                   std::size_t n_most, DraftCounts* counts = nullptr) {
    Machine machine(model, who, n_most);
    GenerationOptions options;
    static_cast<SequenceOptions&>(options) = of;
    options.n_context = 1024;
    options.max_rows = 16;
    const auto loop = machine.loop(loop_options(of.sampling));
    Generation generation(tiny_tokenizer(), prompt, "", options, nullptr, machine.proposer());
    loop->run(&generation);
    if (counts != nullptr) *counts = generation.draft_counts();
    return generated(generation.sequence());
}

Tokens repetitive(int n, int period) {
    Tokens tokens;
    for (int i = 0; i < n; ++i) tokens.push_back(token(1, i % period));
    return tokens;
}

SequenceOptions sampled(float temperature, std::int32_t n_predict) {
    SequenceOptions options;
    options.n_predict = n_predict;
    options.ignore_eos = true;
    options.sampling.temperature = temperature;
    options.sampling.top_k = 20;
    options.sampling.seed = static_cast<std::uint64_t>(n_predict);
    return options;
}

TEST(proposals, change_no_text) {
    std::uint64_t n_accepted = 0, n_refused = 0;
    for (const auto& [temperature, penalty] : {std::pair{0.0f, 1.0f}, {0.4f, 1.2f}, {1.2f, 1.0f}})
        for (const std::int32_t n : {1, 2, 60}) {
            SequenceOptions options = sampled(temperature, n);
            options.sampling.repeat_penalty = penalty;
            const Tokens prompt = repetitive(40, 12);
            const Generated plain = generate(small(), prompt, options, Who::nobody, 0);
            for (const Who who : {Who::text, Who::itself, Who::other})
                for (const std::size_t n_most : {1u, 15u}) {
                    DraftCounts counts;
                    EXPECT_EQ(generate(small(), prompt, options, who, n_most, &counts), plain);
                    n_accepted += counts.n_accepted;
                    n_refused += counts.n_proposed - counts.n_accepted;
                }
        }
    EXPECT_GT(n_accepted, 100u); // both have happened
    EXPECT_GT(n_refused, 100u);
}

TEST(proposals, of_the_model_itself_are_right) {
    for (const float temperature : {0.0f, 1.0f}) {
        DraftCounts counts;
        generate(small(), repetitive(30, 30), sampled(temperature, 60), Who::itself, 5, &counts);
        EXPECT_GT(counts.n_proposed, 30u);
        EXPECT_EQ(counts.n_accepted, counts.n_proposed);
        EXPECT_EQ(counts.n_tokens, 59u); // the first one is the prompt's
        EXPECT_LT(counts.n_rows, 25u);
    }
}

TEST(proposals, end_where_the_context_does) {
    SequenceOptions options = sampled(0, -1);
    const Tokens prompt = repetitive(1000, 5);
    const Generated plain = generate(small(), prompt, options, Who::nobody, 0);
    EXPECT_EQ(plain.reason, FinishReason::context_full);
    for (const Who who : {Who::text, Who::itself, Who::other})
        EXPECT_EQ(generate(small(), prompt, options, who, 7), plain);
}

TEST(proposals, that_are_wrong_find_what_windows_would_have_forgotten) {
    for (const float temperature : {0.0f, 1.2f}) {
        SequenceOptions options = sampled(temperature, 60); // a page is given back at 500
        options.sampling.repeat_penalty = 1.8f;             // else it says one word
        options.sampling.repeat_last_n = 9;
        const Tokens prompt = repetitive(470, 7); // and taken at 512
        const Generated plain = generate(with_windows(), prompt, options, Who::nobody, 0);
        std::uint64_t n_refused = 0;
        for (const Who who : {Who::text, Who::itself, Who::other}) {
            DraftCounts counts;
            EXPECT_EQ(generate(with_windows(), prompt, options, who, 15, &counts), plain);
            n_refused += counts.n_proposed - counts.n_accepted;
        }
        EXPECT_GT(n_refused, 50u);
    }
}

TEST(proposals, leave_the_turns_of_a_chat_as_they_are) {
    for (const Who who : {Who::text, Who::itself, Who::other})
        for (const float temperature : {0.0f, 0.9f}) {
            const SequenceOptions options = sampled(temperature, 30);
            Machine machine(small(), who, 6), plain(small(), Who::nobody, 0);
            CachedGeneration with(
                16, [&](std::int32_t n) { return machine.transformer().keeps(0, n); },
                machine.proposer());
            CachedGeneration without(
                16, [&](std::int32_t n) { return plain.transformer().keeps(0, n); });
            const auto loop = machine.loop(loop_options(options.sampling));
            const auto plain_loop = plain.loop(loop_options(options.sampling));
            Tokens prompt = repetitive(40, 9);
            for (int turn = 0; turn < 4; ++turn) {
                with.begin(tiny_tokenizer(), prompt, "", options, nullptr);
                without.begin(tiny_tokenizer(), prompt, "", options, nullptr);
                loop->run(&with);
                plain_loop->run(&without);
                EXPECT_EQ(generated(with.sequence()), generated(without.sequence()));
                EXPECT_EQ(with.n_found(), without.n_found());
                EXPECT_TRUE(std::ranges::equal(with.cached(), without.cached()));
                const auto tokens = with.sequence().tokens();
                // Turn 2 goes back into what was said.
                prompt.assign(tokens.begin(), turn == 1 ? tokens.begin() + 50 : tokens.end());
                for (int i = 0; i < 12; ++i) prompt.push_back(token(turn, i % 5));
            }
            EXPECT_GT(with.draft_counts().n_proposed, 0u);
        }
}

std::vector<Generated> batch(Who who, std::size_t n_jobs, std::size_t max_sequences,
                             std::size_t n_pages, int prefix, DraftCounts* counts = nullptr,
                             BatchCounts* batch_counts = nullptr) {
    Machine machine(small(), who, 6, max_sequences, n_pages);
    LoopOptions of_loop = loop_options({});
    of_loop.max_full_rows = 64;
    of_loop.banned = tiny_tokenizer().end_tokens();
    const auto loop = machine.loop(of_loop);
    std::vector<Generated> answers(n_jobs);
    std::size_t next = 0;
    ContinuousBatch scheduler(
        {.max_sequences = max_sequences,
         .max_rows = 64,
         .n_pages = n_pages,
         .n_context = 1024,
         .n_candidates = 64,
         .min_candidates = 8,
         .max_logit_rows = 64,
         .max_full_rows = 64},
        [&](bool) -> ContinuousBatch::Next {
            if (next == n_jobs) return {.sequence = nullptr, .is_end = true};
            const auto j = static_cast<int>(next++);
            Tokens prompt = repetitive(j % 3 == 2 ? 0 : prefix, 300);
            for (int i = 0; i < 3 + 5 * j; ++i) prompt.push_back(token(j, i % (2 + j)));
            SequenceOptions options = sampled(j % 2 == 0 ? 0.0f : 0.9f, 4 + 7 * (j % 6));
            options.n_context = 1024;
            options.ignore_eos = j % 4 != 0;
            options.sampling.top_k = j % 5 == 4 ? 0 : 20;
            options.sampling.frequency_penalty = j % 3 == 1 ? 0.3f : 0;
            return {std::make_unique<Sequence>(tiny_tokenizer(), j, prompt, "", options, nullptr)};
        },
        [&](std::unique_ptr<Sequence> ended) {
            answers[static_cast<std::size_t>(ended->number())] = generated(*ended);
        },
        machine.proposer());
    EXPECT_FALSE(loop->run(&scheduler));
    if (counts != nullptr) *counts = scheduler.draft_counts();
    if (batch_counts != nullptr) *batch_counts = scheduler.counts();
    return answers;
}

TEST(proposals, leave_every_sequence_of_a_batch_as_it_is) {
    const std::vector<Generated> plain = batch(Who::nobody, 14, 4, 16, 0);
    EXPECT_EQ(batch(Who::nobody, 14, 1, 4, 0), plain);
    for (const Who who : {Who::text, Who::itself, Who::other}) {
        DraftCounts counts;
        EXPECT_EQ(batch(who, 14, 4, 16, 0, &counts), plain);
        EXPECT_GT(counts.n_accepted, 10u);
        EXPECT_EQ(batch(who, 14, 14, 56, 0), plain);
    }
}

TEST(proposals, go_on_where_prompts_share_pages_and_the_pool_is_small) {
    const std::vector<Generated> plain = batch(Who::nobody, 12, 4, 16, 600);
    for (const Who who : {Who::text, Who::itself, Who::other}) {
        EXPECT_EQ(batch(who, 12, 4, 16, 600), plain);
        EXPECT_EQ(batch(who, 12, 4, 5, 600), plain);
    }
}

/// Adds up what steps tell.
class Sums : public StepObserver {
  public:
    void step(const StepRecord& record) override {
        (record.is_draft != 0 ? n_of_draft : n_of_model) += 1;
        if (record.is_draft != 0) n_rows_of_draft += record.n_rows;
        n_proposed += record.n_proposed;
        n_accepted += record.n_accepted;
        n_tokens += record.phase == Phase::decode && record.is_draft == 0
                        ? record.n_rows - record.n_proposed + record.n_accepted
                        : 0;
        most_pages = std::max(most_pages, record.n_pages);
    }
    [[nodiscard]] bool wants_gather() const override { return false; }
    void gather() override {}
    void token(const TokenRecord&) override {}
    void sequence(const SequenceRecord&) override {}
    std::uint64_t n_of_model = 0, n_of_draft = 0, n_proposed = 0, n_accepted = 0, n_tokens = 0;
    std::uint64_t n_rows_of_draft = 0;
    std::uint32_t most_pages = 0;
};

TEST(proposals, are_told_step_by_step) {
    Machine machine(small(), Who::other, 5);
    GenerationOptions options;
    static_cast<SequenceOptions&>(options) = sampled(0.9f, 90);
    options.n_context = 1024;
    options.max_rows = 16;
    const auto loop = machine.loop(loop_options(options.sampling));
    Generation generation(tiny_tokenizer(), repetitive(200, 7), "", options, nullptr,
                          machine.proposer());
    Sums sums;
    loop->observe(&sums);
    generation.observe(&sums);
    loop->run(&generation);
    const DraftCounts& counts = generation.draft_counts();
    EXPECT_EQ(sums.n_proposed, counts.n_proposed);
    EXPECT_EQ(sums.n_accepted, counts.n_accepted);
    EXPECT_EQ(sums.n_tokens, 89u);
    EXPECT_EQ(sums.n_of_model, 13 + counts.n_rows);
    EXPECT_GE(sums.n_of_draft, counts.n_proposed / 5);
    EXPECT_EQ(sums.most_pages, 2u);
}

TEST(proposals, stop_where_they_do_not_pay) {
    // A machine on which every row costs a step: beyond what tells so nothing is proposed.
    class Costly : public NgramProposer {
      public:
        using NgramProposer::NgramProposer;
        void step_took(std::size_t n_rows, double /*seconds*/) override {
            NgramProposer::step_took(n_rows, 0.1 * static_cast<double>(n_rows));
        }
    };
    Machine machine(small(), Who::nobody, 0);
    Costly proposer(7, 1);
    GenerationOptions options;
    static_cast<SequenceOptions&>(options) = sampled(0, 400);
    options.n_context = 1024;
    const auto loop = machine.loop(loop_options(options.sampling));
    Generation generation(tiny_tokenizer(), repetitive(60, 3), "", options, nullptr, &proposer);
    loop->run(&generation);
    const DraftCounts& counts = generation.draft_counts();
    EXPECT_LT(counts.n_proposed, 400 / 10);
}

TEST(proposals, of_a_draft_model_that_does_not_pay_cost_little) {
    // Every row costs a step, as the first proposals tell. After 128 tokens without any, and 512
    // later, it is tried for six steps of one proposal, and reads of what it missed no more than
    // the last 128 tokens.
    class Costly : public ModelProposer {
      public:
        using ModelProposer::ModelProposer;
        void step_took(std::size_t n_rows, double /*seconds*/) override {
            ModelProposer::step_took(n_rows, static_cast<double>(n_rows));
        }
    };
    Machine machine(small(), Who::other, 7), plain(small(), Who::nobody, 0);
    GenerationOptions options;
    static_cast<SequenceOptions&>(options) = sampled(0.9f, 700);
    options.n_context = 1024;
    options.max_rows = 16;
    // A penalty looks at all tokens before, which a draft model that has missed some leaves alone.
    options.sampling.frequency_penalty = 0.1f;
    options.sampling.repeat_last_n = -1;
    const auto generated_by = [&](Machine& one, Proposer* proposer, Sums* sums) {
        const auto loop = one.loop(loop_options(options.sampling));
        Generation generation(tiny_tokenizer(), repetitive(200, 7), "", options, nullptr, proposer);
        if (sums != nullptr) loop->observe(sums);
        loop->run(&generation);
        return generated(generation.sequence());
    };
    Sums sums;
    Costly costly(Machine::draft_options(7), [](std::int32_t, std::int32_t) { return true; });
    EXPECT_EQ(generated_by(machine, &costly, &sums), generated_by(plain, nullptr, nullptr));
    EXPECT_GE(sums.n_proposed, 12u);
    EXPECT_LE(sums.n_proposed, 16u);
    const std::uint64_t n_read = 200 + 2 * speculation::most_caught_up;
    EXPECT_GE(sums.n_rows_of_draft, n_read);
    EXPECT_LE(sums.n_rows_of_draft, n_read + 2 * 16);
}

} // namespace
} // namespace pillar::engine
