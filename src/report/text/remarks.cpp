// What a reader should know before believing a row.

#include "text/renderers.hpp"

#include "pillar/tables/markdown.hpp"

#include <cmath>
#include <fmt/core.h>

namespace pillar::report {

namespace {

constexpr double noticeable = 1.05; ///< less is noise

std::string name_of(int n_ranks, const std::string& threads) {
    return fmt::format("{} × {}", n_ranks, threads);
}

void add_comparison(std::vector<std::string>& remarks, const ScalingRow& row) {
    if (!row.speed_up) return;
    const std::string name = name_of(row.n_ranks, row.threads);
    const std::string base = name_of(row.base_ranks, row.base_threads);
    if (row.base_threads != row.threads && !row.over_threads) {
        remarks.push_back(fmt::format(
            "{}: compared with {}, which has other threads a rank: the speed-up is not that of "
            "ranks alone, so no efficiency is told; give all runs the same -t",
            name, base));
    } else if (row.efficiency && *row.efficiency > noticeable) {
        remarks.push_back(fmt::format("{}: super-linear, {:.2f} times what more {} explain: the "
                                      "smaller slices fit into caches, "
                                      "or the runs of {} were disturbed (measure them again)",
                                      name, *row.efficiency, row.over_threads ? "threads" : "ranks",
                                      base));
    }
}

} // namespace

std::vector<std::string> remarks_of(const ScalingRow& row) {
    const std::string name = name_of(row.n_ranks, row.threads);
    std::vector<std::string> remarks;
    const auto time = seconds_per_token(row.totals);
    if (!time) remarks.push_back(name + ": no decode steps");
    if (time && time->confidence < 0.95)
        remarks.push_back(
            fmt::format("{}: too few steps for 95 %; the interval holds with {:.0f} %", name,
                        100 * time->confidence));
    const auto mean = decode_tokens_per_s(row.totals);
    if (time && mean && std::abs(*mean * time->median - 1) > noticeable - 1)
        remarks.push_back(fmt::format(
            "{}: all tokens by all time are {:.2f} tok/s: some steps were much {} than the median",
            name, *mean, *mean * time->median < 1 ? "slower" : "faster"));
    const auto outside = outside_share(row.totals);
    if (outside && *outside > 0.05)
        remarks.push_back(fmt::format("{}: {} of the decode time lies between the steps "
                                      "(sampling, printing)",
                                      name, tables::percent(*outside)));
    if (const auto per_step = tokens_per_step(row.totals))
        remarks.push_back(fmt::format("{}: {} of {} proposed tokens accepted, {:.2f} tokens a step",
                                      name, row.totals.n_accepted, row.totals.n_proposed,
                                      *per_step));
    add_comparison(remarks, row);
    remarks.insert(remarks.end(), row.totals.remarks.begin(), row.totals.remarks.end());
    return remarks;
}

} // namespace pillar::report
