#include "statistics/statistics_text.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <vector>

namespace pillar::evaluate {

namespace {

constexpr double percent = 100.0;

struct NamedShare {
    const char* name;
    double share;
};

std::string line(const char* name, const Estimate& estimate) {
    return fmt::format("{:<30}: {:10.6f} ± {:10.6f}\n", name, estimate.value, estimate.error);
}

std::string kl_text(const ComparisonSums& sums) {
    std::vector<double> sorted(sums.kl_values().begin(), sums.kl_values().end());
    std::sort(sorted.begin(), sorted.end());
    const Estimate mean = sums.mean_kl();
    std::string text = "====== KL divergence statistics ======\n";
    text += fmt::format("Mean    KLD: {:10.6f} ± {:10.6f}\n", mean.value, mean.error);
    constexpr NamedShare shares[] = {{"Maximum", 1},     {"99.9%  ", 0.999}, {"99.0%  ", 0.99},
                                     {"95.0%  ", 0.95},  {"90.0%  ", 0.9},   {"Median ", 0.5},
                                     {"10.0%  ", 0.1},   {" 5.0%  ", 0.05},  {" 1.0%  ", 0.01},
                                     {" 0.1%  ", 0.001}, {"Minimum", 0}};
    for (const auto& [name, share] : shares)
        text += fmt::format("{} KLD: {:10.6f}\n", name, quantile(sorted, share));
    return text;
}

std::string probability_text(const ComparisonSums& sums) {
    std::vector<double> sorted(sums.p_differences().begin(), sums.p_differences().end());
    std::sort(sorted.begin(), sorted.end());
    const Estimate mean = sums.mean_p_difference(), rms = sums.rms_p_difference();
    const Estimate same = sums.same_best();
    std::string text = "====== Token probability statistics ======\n";
    text += fmt::format("Mean    Δp: {:6.3f} ± {:5.3f} %\n", percent * mean.value,
                        percent * mean.error);
    constexpr NamedShare shares[] = {{"Maximum", 1},    {"99.9%  ", 0.999}, {"99.0%  ", 0.99},
                                     {"95.0%  ", 0.95}, {"90.0%  ", 0.9},   {"75.0%  ", 0.75},
                                     {"Median ", 0.5},  {"25.0%  ", 0.25},  {"10.0%  ", 0.1},
                                     {" 5.0%  ", 0.05}, {" 1.0%  ", 0.01},  {" 0.1%  ", 0.001},
                                     {"Minimum", 0}};
    for (const auto& [name, share] : shares)
        text += fmt::format("{} Δp: {:6.3f}%\n", name, percent * quantile(sorted, share));
    text +=
        fmt::format("RMS Δp    : {:6.3f} ± {:5.3f} %\n", percent * rms.value, percent * rms.error);
    text += fmt::format("Same top p: {:6.3f} ± {:5.3f} %\n", percent * same.value,
                        percent * same.error);
    return text;
}

} // namespace

std::string running_text(std::size_t n_windows, const Sums& nll) {
    return fmt::format("[{}]{:.4f},", n_windows, perplexity_of(nll).value);
}

std::string final_text(const Sums& nll) {
    const Estimate perplexity = perplexity_of(nll);
    return fmt::format("Final estimate: PPL = {:.4f} +/- {:.5f}\n", perplexity.value,
                       perplexity.error);
}

std::string comparison_head() {
    return "chunk             PPL               ln(PPL(Q)/PPL(base))          KL Divergence        "
           "      Δp RMS            Same top p\n";
}

std::string comparison_line(std::size_t n_windows, const ComparisonSums& sums) {
    const Estimate perplexity = perplexity_of(sums.nll()), ratio = sums.log_ratio();
    const Estimate kl = sums.mean_kl(), rms = sums.rms_p_difference(), same = sums.same_best();
    return fmt::format("{:4}    {:9.4f} ± {:9.4f}    {:10.5f} ± {:10.5f}    {:10.5f} ± {:10.5f}    "
                       "{:6.3f} ± {:6.3f} %    {:6.3f} ± {:6.3f} %\n",
                       n_windows, perplexity.value, perplexity.error, ratio.value, ratio.error,
                       kl.value, kl.error, percent * rms.value, percent * rms.error,
                       percent * same.value, percent * same.error);
}

std::string comparison_summary(const ComparisonSums& sums) {
    const Estimate log_ratio = sums.log_ratio();
    const double ratio = perplexity_of(sums.nll()).value / perplexity_of(sums.nll_base()).value;
    std::string text = "\n====== Perplexity statistics ======\n";
    text += line("Mean PPL(Q)", perplexity_of(sums.nll()));
    text += line("Mean PPL(base)", perplexity_of(sums.nll_base()));
    text += fmt::format("Cor(ln(PPL(Q)), ln(PPL(base))): {:6.2f}%\n", percent * sums.correlation());
    text += line("Mean ln(PPL(Q)/PPL(base))", log_ratio);
    text += line("Mean PPL(Q)/PPL(base)", {ratio, ratio * log_ratio.error});
    text += line("Mean PPL(Q)-PPL(base)", sums.perplexity_difference());
    return text + "\n" + kl_text(sums) + "\n" + probability_text(sums);
}

} // namespace pillar::evaluate
