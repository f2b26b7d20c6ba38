#pragma once
// A tiny model, and a scheduler that plays given plans.

#include "pillar/engine/loop.hpp"
#include "support/models/model_files.hpp"

#include <bit>
#include <gtest/gtest.h>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace pillar::engine {

using support::ModelFile;
using support::OneRank;
using support::TinyModel;

inline const ModelFile& tiny() {
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

inline forward::TransformerOptions sized(std::size_t max_rows, std::size_t max_sequences) {
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

inline LoopOptions whole_rows() {
    LoopOptions options;
    options.full_logits = true;
    options.n_candidates = 0;
    return options;
}

inline std::int32_t token(int sequence, int position) {
    return 3 + (sequence * 37 + position * 11) % 300;
}

inline StepPlan step(const std::vector<std::pair<int, int>>& rows) {
    StepPlan plan;
    for (const auto& [sequence, position] : rows)
        plan.rows.push_back({token(sequence, position), position, sequence, true});
    return plan;
}

inline std::map<std::pair<int, int>, std::vector<std::uint32_t>> play(OneRank& rank,
                                                                      std::vector<StepPlan> plans) {
    Loop loop(rank.transformer(), rank.comm(), whole_rows());
    Script script(std::move(plans));
    EXPECT_FALSE(loop.run(&script));
    return script.logits;
}

} // namespace pillar::engine
