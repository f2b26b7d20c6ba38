#pragma once
// What scores of single tokens say together: the numbers of llama-perplexity. All sums run in the
// order of the text.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::evaluate {

/// A mean and its standard error, √(variance / (n − 1)).
struct Estimate {
    double value = 0;
    double error = 0;
};

class Sums {
  public:
    void add(double x) noexcept {
        ++n_;
        sum_ += x;
        sum_of_squares_ += x * x;
    }
    [[nodiscard]] std::size_t n() const noexcept { return n_; }
    /// The error of fewer than 2 is 0.
    [[nodiscard]] Estimate mean() const noexcept;

  private:
    std::size_t n_ = 0;
    double sum_ = 0;
    double sum_of_squares_ = 0;
};

/// e^mean, its error to first order.
Estimate perplexity_of(const Sums& nll) noexcept;

/// Of one scored token: how the model compares with the base model.
struct Comparison {
    double nll = 0; ///< −ln p of the token that stands in the text
    double nll_base = 0;
    double kl = 0;           ///< of the model's distribution from the base's, nats
    double p_difference = 0; ///< p of the token that stands there, model minus base
    bool same_best = false;  ///< both hold the same token most probable
};

class ComparisonSums {
  public:
    void add(const Comparison& one);

    [[nodiscard]] std::size_t n() const noexcept { return nll_.n(); }
    [[nodiscard]] const Sums& nll() const noexcept { return nll_; }
    [[nodiscard]] const Sums& nll_base() const noexcept { return nll_base_; }
    [[nodiscard]] Estimate mean_kl() const noexcept { return kl_.mean(); }
    [[nodiscard]] Estimate mean_p_difference() const noexcept { return p_difference_.mean(); }
    [[nodiscard]] Estimate rms_p_difference() const noexcept;
    [[nodiscard]] Estimate same_best() const noexcept; ///< a share of 1
    /// ln(PPL / PPL of the base): its error knows that both are of the same tokens.
    [[nodiscard]] Estimate log_ratio() const noexcept;
    [[nodiscard]] Estimate perplexity_difference() const noexcept;
    /// Correlation of the two nll.
    [[nodiscard]] double correlation() const noexcept;
    /// In the order of the text.
    [[nodiscard]] std::span<const double> kl_values() const noexcept { return kls_; }
    [[nodiscard]] std::span<const double> p_differences() const noexcept { return differences_; }

  private:
    /// Of the two means.
    [[nodiscard]] double covariance() const noexcept;

    Sums nll_, nll_base_, kl_, p_difference_, squared_difference_;
    double sum_of_products_ = 0; ///< nll · nll_base
    std::size_t n_same_ = 0;
    std::vector<double> kls_, differences_;
};

/// Value below which `share` of the sorted values lie, between two of them on the line from one to
/// the other. There is one at least.
double quantile(std::span<const double> sorted, double share) noexcept;

} // namespace pillar::evaluate
