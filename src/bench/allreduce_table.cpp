#include "pillar/bench/allreduce_table.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/measure/allreduce.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace pillar::bench {

namespace {

using comm::Algorithm;
using comm::Wire;
using Json = nlohmann::ordered_json;

constexpr double budget_s = 30e-3; ///< of one length

/// One algorithm on one wire.
struct Series {
    std::vector<measure::AllreduceTime> times;
    measure::NetworkFit fit;
};

std::vector<Algorithm> algorithms_on(Wire wire, bool is_emulated) {
    std::vector<Algorithm> algorithms = comm::tree_algorithms(wire);
    if (wire != Wire::f32) return algorithms;
    algorithms.push_back(Algorithm::ring);
    if (!is_emulated) algorithms.push_back(Algorithm::mpi);
    return algorithms;
}

/// Collective.
std::vector<Series> measure_all(comm::Environment& environment,
                                const AllreduceBenchOptions& options) {
    std::vector<Series> all;
    for (const Wire wire : {Wire::f32, Wire::f16, Wire::q8}) {
        const std::vector<Algorithm> algorithms = algorithms_on(wire, options.emulated.has_value());
        const auto comm = environment.world(algorithms.front(), wire, options.emulated,
                                            {.step_s = options.timeout_s});
        comm->set_in_steps(true);
        for (const Algorithm algorithm : algorithms) {
            Series& series = all.emplace_back();
            for (const std::size_t size : options.sizes) {
                series.times.push_back(measure::time_allreduce(*comm, algorithm, wire,
                                                               size / sizeof(float), budget_s));
            }
            series.fit = measure::fit_network(series.times, comm->size());
        }
    }
    return all;
}

Json record_of(const measure::AllreduceTime& time, const measure::NetworkFit& fit, int n_ranks) {
    return {{"ranks", n_ranks},
            {"allreduce", comm::name_of(time.algorithm)},
            {"wire", comm::name_of(time.wire)},
            {"bytes", time.n_floats * sizeof(float)},
            {"calls", time.n_calls},
            {"min_s", time.least_s},
            {"median_s", time.median_s},
            {"avg_s", time.mean_s},
            {"max_s", time.most_s},
            {"fit_latency_s", fit.latency_s},
            {"fit_s_per_byte", fit.s_per_byte},
            {"fit_residual", fit.residual}};
}

std::string to_markdown(const std::vector<Series>& all, int n_ranks,
                        const AllreduceBenchOptions& options) {
    std::string text =
        fmt::format("All-reduce on {} ranks{}, time of a call\n\n", n_ranks,
                    options.emulated ? fmt::format(", network emulated with {:g} us and {:g} "
                                                   "ns/byte",
                                                   options.emulated->latency_s * 1e6,
                                                   options.emulated->s_per_byte * 1e9)
                                     : "");
    text += fmt::format("| {:<18} | wire | {:>8} | {:>9} | {:>9} | {:>9} | {:>9} | {:>6} |\n",
                        "all-reduce", "bytes", "min us", "median us", "avg us", "max us", "calls");
    text += fmt::format(
        "| {0:-<18} | ---- | {0:->7}: | {0:->8}: | {0:->8}: | {0:->8}: | {0:->8}: | {0:->5}: |\n",
        "");
    for (const Series& series : all) {
        for (const measure::AllreduceTime& time : series.times) {
            text += fmt::format(
                "| {:<18} | {:<4} | {:>8} | {:>9.2f} | {:>9.2f} | {:>9.2f} | {:>9.2f} | {:>6} |\n",
                comm::name_of(time.algorithm), comm::name_of(time.wire),
                time.n_floats * sizeof(float), time.least_s * 1e6, time.median_s * 1e6,
                time.mean_s * 1e6, time.most_s * 1e6, time.n_calls);
        }
    }
    text +=
        "\nFitted to the medians: latency a message, time a byte, and how far times are off\n\n";
    text += fmt::format("| {:<18} | wire | {:>10} | {:>10} | {:>8} |\n", "all-reduce", "us",
                        "ns/byte", "residual");
    text += fmt::format("| {0:-<18} | ---- | {0:->9}: | {0:->9}: | {0:->7}: |\n", "");
    for (const Series& series : all) {
        const measure::AllreduceTime& first = series.times.front();
        if (std::isnan(series.fit.latency_s)) continue; // one length tells one of the two
        text += fmt::format("| {:<18} | {:<4} | {:>10.2f} | {:>10.3f} | {:>6.1f} % |\n",
                            comm::name_of(first.algorithm), comm::name_of(first.wire),
                            series.fit.latency_s * 1e6, series.fit.s_per_byte * 1e9,
                            100 * series.fit.residual);
    }
    return text;
}

std::string to_csv(const std::vector<Json>& records) {
    std::vector<std::string> names;
    for (const auto& [name, value] : records.front().items()) names.push_back(name);
    std::string text = fmt::format("{}\n", fmt::join(names, ","));
    for (const Json& record : records) {
        std::vector<std::string> values;
        for (const Json& value : record)
            values.push_back(value.is_string() ? value.get<std::string>() : value.dump());
        text += fmt::format("{}\n", fmt::join(values, ","));
    }
    return text;
}

std::string text_of(const std::vector<Series>& all, int n_ranks,
                    const AllreduceBenchOptions& options) {
    if (options.output == "md") return to_markdown(all, n_ranks, options);
    std::vector<Json> records;
    for (const Series& series : all)
        for (const auto& time : series.times)
            records.push_back(record_of(time, series.fit, n_ranks));
    if (options.output == "csv") return to_csv(records);
    if (options.output == "json") return Json(records).dump(2) + "\n";
    std::string text;
    for (const Json& record : records) text += record.dump() + "\n";
    return text;
}

/// Rank 0 only. Waiting ranks share their CPUs: a message then takes as long as the other's turn.
void warn_of_others(const comm::Communicator& comm, const std::vector<telemetry::CpuUse>& uses) {
    const std::vector<double> others = telemetry::other_cpus(uses);
    std::set<std::string> told;
    for (std::size_t rank = 0; rank < others.size(); ++rank)
        if (telemetry::disturbs(others[rank], uses[rank].n_cpus) &&
            told.insert(uses[rank].machine).second)
            log::warning("other programs kept {:.1f} of {}'s {} CPUs busy: without them these "
                         "times would be shorter",
                         others[rank], comm.host(static_cast<int>(rank)), uses[rank].n_cpus);
}

} // namespace

int bench_allreduce(const AllreduceBenchOptions& options, comm::Environment& environment) {
    const auto comm = environment.world(Algorithm::recursive_doubling, Wire::f32, {},
                                        {.step_s = options.timeout_s});
    log::set_speaker(comm->rank(), comm->host(comm->rank()));
    comm::agree(*comm, [&] {
        if (comm->is_root()) terminal::expect_standard_output();
        if (comm->size() == 1)
            throw UsageError("bench --allreduce needs two ranks or more: start it with mpirun -n "
                             "2 or jobs/launch.sh -n 2");
    });
    const telemetry::CpuMeter meter(comm::own_cpus().machine);
    const std::vector<Series> all = measure_all(environment, options);
    const std::vector<telemetry::CpuUse> uses =
        telemetry::cpu_uses_from(comm->gather_to_root(telemetry::to_text(meter.use())));
    comm::agree(*comm, [&] {
        if (!comm->is_root()) return;
        terminal::write_text(text_of(all, comm->size(), options), [&] { comm->attend(); });
        warn_of_others(*comm, uses);
    });
    return 0;
}

} // namespace pillar::bench
