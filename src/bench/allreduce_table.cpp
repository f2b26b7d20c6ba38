#include "pillar/bench/allreduce_table.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/measure/allreduce.hpp"
#include "pillar/tables/markdown.hpp"
#include "pillar/telemetry/other_work.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <cmath>
#include <cstdint>
#include <fmt/core.h>
#include <set>
#include <vector>

namespace pillar::bench {

namespace {

using comm::Algorithm;
using comm::Wire;

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

tables::Record record_of(const measure::AllreduceTime& time, const measure::NetworkFit& fit,
                         int n_ranks) {
    return {{"ranks", n_ranks},
            {"allreduce", comm::name_of(time.algorithm)},
            {"wire", comm::name_of(time.wire)},
            {"bytes", time.n_floats * sizeof(float)},
            {"calls", time.n_calls},
            {"min_s", time.min_s},
            {"median_s", time.median_s},
            {"avg_s", time.mean_s},
            {"max_s", time.max_s},
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
    const auto with_two_digits = [](double value) { return tables::number(value, 2); };
    std::vector<std::vector<std::string>> rows;
    for (const Series& series : all)
        for (const measure::AllreduceTime& time : series.times) {
            std::vector<std::string> cells = {std::string(comm::name_of(time.algorithm)),
                                              std::string(comm::name_of(time.wire)),
                                              fmt::format("{}", time.n_floats * sizeof(float))};
            for (const double s : {time.min_s, time.median_s, time.mean_s, time.max_s})
                cells.push_back(with_two_digits(s * 1e6));
            cells.push_back(fmt::format("{}", time.n_calls));
            rows.push_back(std::move(cells));
        }
    using tables::number_column, tables::text_column;
    text += tables::markdown({text_column("all-reduce", 18), text_column("wire", 4),
                              number_column("bytes", 8), number_column("min us", 9),
                              number_column("median us", 9), number_column("avg us", 9),
                              number_column("max us", 9), number_column("calls", 6)},
                             rows);
    text +=
        "\nFitted to the medians: latency a message, time a byte, and how far times are off\n\n";
    rows.clear();
    for (const Series& series : all) {
        if (std::isnan(series.fit.latency_s)) continue; // one length tells one of the two
        const measure::AllreduceTime& first = series.times.front();
        rows.push_back(
            {std::string(comm::name_of(first.algorithm)), std::string(comm::name_of(first.wire)),
             with_two_digits(series.fit.latency_s * 1e6),
             tables::number(series.fit.s_per_byte * 1e9, 3), tables::percent(series.fit.residual)});
    }
    return text + tables::markdown({text_column("all-reduce", 18), text_column("wire", 4),
                                    number_column("us", 10), number_column("ns/byte", 10),
                                    number_column("residual", 8)},
                                   rows);
}

std::string text_of(const std::vector<Series>& all, int n_ranks,
                    const AllreduceBenchOptions& options) {
    if (options.output == tables::Format::md) return to_markdown(all, n_ranks, options);
    std::vector<tables::Record> records;
    for (const Series& series : all)
        for (const auto& time : series.times)
            records.push_back(record_of(time, series.fit, n_ranks));
    return tables::write(options.output, records);
}

/// Rank 0 only. Waiting ranks share their CPUs: a message then takes as long as the other's turn.
void warn_of_others(const comm::Communicator& comm, const std::vector<telemetry::CpuUse>& uses) {
    const std::vector<double> others = telemetry::other_cpus(uses);
    std::set<std::uint64_t> told; // of these machines
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
    log::set_identity(comm->rank(), comm->host(comm->rank()));
    comm::agree(*comm, [&] {
        if (comm->is_root()) terminal::expect_standard_output();
        if (comm->size() == 1)
            throw UsageError("bench --allreduce needs two ranks or more: start it with mpirun -n "
                             "2 or jobs/launch.sh -n 2");
    });
    const telemetry::CpuMeter meter(comm::own_cpus().machine);
    const std::vector<Series> all = measure_all(environment, options);
    const std::vector<telemetry::CpuUse> uses = comm::gather_to_root(*comm, meter.use());
    comm::agree(*comm, [&] {
        if (!comm->is_root()) return;
        terminal::write_text(text_of(all, comm->size(), options), [&] { comm->heartbeat(); });
        warn_of_others(*comm, uses);
    });
    return 0;
}

} // namespace pillar::bench
