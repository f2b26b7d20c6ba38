#include "pillar/report/laws.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace pillar::report {

namespace {

constexpr double least_sigma = 1e-3; ///< of the time: no two runs are more alike

/// One standard deviation of the mean.
double scatter_of(const std::vector<double>& values) {
    if (values.size() < 2) return 0;
    const auto n = static_cast<double>(values.size());
    double mean = 0;
    for (const double value : values) mean += value / n;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / (n - 1) / n);
}

/// An interval of 95 % is ± 1.96 σ; a narrower one, of few samples, is taken for σ itself.
double sigma_of(const perf::MedianInterval& time, const std::vector<double>& run_medians) {
    const double half = (time.high - time.low) / 2;
    const double within = time.confidence >= 0.95 ? half / 1.96 : half;
    return std::max({within, scatter_of(run_medians), least_sigma * time.median});
}

bool is_law_of(const Study& study) {
    using enum Study::Kind;
    return (study.kind == strong || study.kind == weak || study.kind == threads) &&
           is_numeric(study);
}

/// Throughput over that of one rank.
std::vector<perf::Point> scaled_speed_ups(const std::vector<perf::Point>& times) {
    std::vector<perf::Point> points;
    if (times.empty() || times.front().x != 1) return points;
    const perf::Point& one = times.front();
    for (const perf::Point& time : times) {
        const double speed_up = one.y / time.y;
        points.push_back({time.x, speed_up, speed_up * time.sigma / time.y});
    }
    return points;
}

} // namespace

std::vector<perf::Point> times_of(const ScalingTable& table, const Study& study,
                                  trace::Phase phase) {
    std::vector<perf::Point> points;
    if (study.kind == Study::Kind::message) return points;
    for (const StudyPoint& point : study.points) {
        const Totals& totals = table.rows[point.row].totals;
        const bool is_decode = phase == trace::Phase::decode;
        const auto time = is_decode ? seconds_per_token(totals) : seconds_per_prompt_token(totals);
        if (!time || time->median <= 0) continue;
        points.push_back(
            {point.x, time->median,
             sigma_of(*time, is_decode ? totals.run_medians : totals.prompt_run_medians)});
    }
    return points;
}

Laws laws_of(const ScalingTable& table, const Study& study, trace::Phase phase) {
    Laws laws{.phase = phase, .amdahl = {}, .time = {}, .gustafson = {}};
    if (!is_law_of(study)) return laws;
    const auto times = times_of(table, study, phase);
    if (study.kind == Study::Kind::weak) {
        laws.gustafson = perf::fit_gustafson(scaled_speed_ups(times));
        return laws;
    }
    laws.amdahl = perf::fit_amdahl(times);
    if (study.kind == Study::Kind::strong) laws.time = perf::fit_time(times);
    return laws;
}

std::vector<perf::Point> message_times_of(const ScalingRow& row) {
    struct Sums {
        double n = 0;
        double wire_s = 0;
    };
    std::map<std::uint32_t, Sums> sizes;
    for (const trace::CollectiveRow& one : row.totals.collectives) {
        if (one.kind != trace::CollectiveRow::Kind::allreduce || one.wire_s <= 0) continue;
        const auto n = static_cast<double>(one.count);
        sizes[one.bytes].n += n;
        sizes[one.bytes].wire_s += n * one.wire_s;
    }
    std::vector<perf::Point> points;
    for (const auto& [bytes, sums] : sizes) {
        const double mean_s = sums.wire_s / sums.n;
        // The trace keeps no scatter of single sums: a tenth, the less the more there were.
        const double sigma_s = mean_s * std::max(0.01, 0.1 / std::sqrt(sums.n));
        points.push_back({static_cast<double>(bytes), mean_s, sigma_s});
    }
    return points;
}

std::optional<perf::LineFit> message_fit(const ScalingRow& row) {
    if (row.n_ranks < 2) return std::nullopt;
    return perf::fit_line(message_times_of(row));
}

} // namespace pillar::report
