#include "scores/scorer.hpp"

#include "pillar/core/elementary.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/sampling/divergence.hpp"

#include <fmt/core.h>

namespace pillar::evaluate {

Scorer::Scorer(const WindowShape& shape, std::size_t vocab_size, BaseFile* base, ScoreFile* file)
    : shape_(shape), base_(base), file_(file),
      base_log_sums_(base == nullptr ? 0 : shape.n_scored()),
      base_logits_(base == nullptr ? 0 : vocab_size) {}

void Scorer::begin(std::size_t window) {
    window_ = window;
    scores_.clear();
    if (base_ != nullptr) base_->read_log_sums(window, base_log_sums_);
}

void Scorer::add(const engine::Score& score) {
    const std::size_t k = score.t - shape_.first;
    const double log_sum = sampling::log_of(score.log_sum);
    const double nll = log_sum - static_cast<double>(score.label_logit);
    if (nll != nll)
        throw Error(ExitCode::bad_data,
                    fmt::format("the model's logits after token {} of window {} are no numbers; "
                                "look at its weights with --check-tensors",
                                score.t, window_ + 1));
    scores_.nll.push_back(nll);
    scores_.log_sum_exp.push_back(log_sum);
    if (file_ != nullptr && !score.full_logits.empty())
        file_->add_logits(window_, k, score.full_logits);
    if (base_ == nullptr) return;
    base_->read_logits(window_, k, base_logits_);
    const double base_log_sum = base_log_sums_[k];
    const double nll_base =
        base_log_sum - static_cast<double>(base_logits_[static_cast<std::size_t>(score.label)]);
    scores_.nll_base.push_back(nll_base);
    scores_.kl_divergence.push_back(
        sampling::kl_divergence(base_logits_, base_log_sum, score.full_logits, log_sum));
    scores_.p_difference.push_back(exp_f64(-nll) - exp_f64(-nll_base));
    scores_.same_best.push_back(
        sampling::best_index(base_logits_) == sampling::best_index(score.full_logits) ? 1 : 0);
}

} // namespace pillar::evaluate
