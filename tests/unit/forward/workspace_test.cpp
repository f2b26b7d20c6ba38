// A model is only read: workspaces share it, and a process holds several models.

#include "pillar/forward/transformer.hpp"
#include "support/models/model_files.hpp"
#include "support/ranks/dry_run.hpp"

#include <gtest/gtest.h>

namespace pillar::forward {
namespace {

using support::ModelFile;
using support::TinyModel;

constexpr std::int32_t n_positions = 12;

TransformerOptions options_of(std::size_t max_rows) {
    TransformerOptions options;
    options.n_context = 256;
    options.max_rows = max_rows;
    return options;
}

class OneModel {
  public:
    OneModel(const TinyModel& tiny, threads::Team& team)
        : file_(tiny),
          model_(file_.file(), file_.h(), partition::even_share(file_.h().sizes(), 0, 1),
                 *kernels::find_family("integer"), team, false, [](std::uint64_t) {}) {}
    [[nodiscard]] const model::Model& get() const { return model_; }

  private:
    ModelFile file_;
    model::Model model_;
};

/// A sequence of its own in a workspace, one token a step.
class Decoding {
  public:
    Decoding(const model::Model& model, threads::Team& team, std::int32_t seed)
        : comm_(support::make_dry_run(0, 1, comm::Algorithm::direct, comm::Wire::f32)),
          transformer_(model, options_of(4), team), seed_(seed) {}
    void step() {
        const Row row[] = {{3 + (seed_ + 37 * position_) % 300, position_, 0, true}};
        ++position_;
        const std::span<const float> logits = transformer_.forward(*comm_, row);
        logits_.insert(logits_.end(), logits.begin(), logits.end());
    }
    /// Of all steps so far.
    [[nodiscard]] const std::vector<float>& logits() const { return logits_; }

  private:
    std::unique_ptr<comm::Communicator> comm_;
    Transformer transformer_;
    std::int32_t seed_, position_ = 0;
    std::vector<float> logits_;
};

std::vector<float> logits_alone(const model::Model& model, threads::Team& team, std::int32_t seed) {
    Decoding decoding(model, team, seed);
    for (std::int32_t i = 0; i < n_positions; ++i) decoding.step();
    return decoding.logits();
}

TEST(workspace, shares_a_model_with_another_one) {
    threads::Team team(2), other_team(1);
    const OneModel model(TinyModel{}, team);
    const std::vector<float> first = logits_alone(model.get(), team, 1);
    const std::vector<float> second = logits_alone(model.get(), team, 2);
    ASSERT_NE(first, second);
    for (threads::Team* const teams : {&team, &other_team}) {
        Decoding a(model.get(), team, 1), b(model.get(), *teams, 2);
        for (std::int32_t i = 0; i < n_positions; ++i) {
            a.step();
            b.step();
        }
        EXPECT_EQ(a.logits(), first);
        EXPECT_EQ(b.logits(), second);
    }
}

TEST(workspace, leaves_room_for_that_of_another_model) {
    threads::Team team(2);
    const OneModel target(TinyModel{.n_layers = 3, .dim = 128, .type = quant::Type::q4_k}, team);
    const OneModel draft(TinyModel{.n_layers = 1, .n_heads = 2, .n_kv_heads = 1, .seed = 7}, team);
    const std::vector<float> of_target = logits_alone(target.get(), team, 1);
    const std::vector<float> of_draft = logits_alone(draft.get(), team, 1);
    ASSERT_NE(of_target, of_draft);
    Decoding a(target.get(), team, 1), b(draft.get(), team, 1);
    for (std::int32_t i = 0; i < n_positions; ++i) {
        b.step();
        a.step();
    }
    EXPECT_EQ(a.logits(), of_target);
    EXPECT_EQ(b.logits(), of_draft);
}

} // namespace
} // namespace pillar::forward
