// The least that a test must read and multiply on this rank, over what was measured just before and
// after each repetition. Of several ranks the one with the least slack counts.

#include "roofline.hpp"

#include "pillar/comm/exchange.hpp"
#include "pillar/core/median.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/measure/integer_rate.hpp"

#include <algorithm>

namespace pillar::bench {

namespace {

constexpr int n_matrix_passes = 5;
constexpr std::size_t max_matrix_rows = 128; ///< more cost no less a row, and minutes on a Pi

/// The share of the time that `amount` takes at `limit` a second; nothing without a limit.
double share(double amount, double limit, double seconds) {
    return limit > 0 ? amount / limit / seconds : 0;
}

/// A share or rate for the record; null when there is nothing to say.
tables::Value or_null(double value) {
    return value > 0 ? tables::Value(value) : tables::Value();
}

} // namespace

void Roofline::measure() {
    session_.comm().heartbeat();
    limits_.push_back({bandwidth_.measure(session_.team()),
                       measure::integer_rate(session_.family(), session_.team()).value_or(0)});
}

/// The mean of before and after.
Amounts Roofline::limits_around(std::size_t repetition) const {
    const Amounts& before = limits_[repetition];
    const Amounts& after = limits_[repetition + 1];
    return {(before.bytes + after.bytes) / 2, (before.macs + after.macs) / 2};
}

/// Shares of the limits that the products alone reach.
Amounts Roofline::matrices_alone(std::size_t n_rows) {
    forward::Transformer& transformer = session_.transformer();
    const forward::StepCost cost = transformer.cost();
    const double output = n_rows == 1 ? 1.0 : 0.0;
    const double bytes =
        cost.layer_bytes_of(n_rows) + output * static_cast<double>(cost.output_bytes);
    const double macs =
        static_cast<double>(n_rows) *
        (static_cast<double>(cost.layer_macs) + output * static_cast<double>(cost.output_macs));
    std::vector<double> memory, integer;
    begin();
    measure();
    for (std::size_t i = 0; i < n_matrix_passes; ++i) {
        const Stopwatch clock;
        transformer.multiply_matrices(n_rows);
        const double seconds = clock.elapsed_s();
        measure();
        memory.push_back(share(bytes, limits_around(i).bytes, seconds));
        integer.push_back(share(macs, limits_around(i).macs, seconds));
    }
    return {median(memory), median(integer)};
}

void Roofline::finish(const engine::BenchmarkTest& test, const std::vector<double>& seconds,
                      tables::Record& record) {
    comm::Communicator& comm = session_.comm();
    const Amounts work =
        work_of(test, session_.transformer().cost(), session_.transformer().hyperparameters());
    std::vector<double> bytes_per_s, macs_per_s;
    std::vector<Amounts> min_s; // a repetition would take by each limit
    for (std::size_t i = 0; i + 1 < limits_.size(); ++i) {
        const Amounts limits = limits_around(i);
        bytes_per_s.push_back(limits.bytes);
        macs_per_s.push_back(limits.macs);
        min_s.push_back({share(work.bytes, limits.bytes, 1), share(work.macs, limits.macs, 1)});
    }
    const std::size_t n_rows =
        test.n_prompt > 0 ? std::min({test.n_batch, test.n_prompt, max_matrix_rows}) : 1;
    const RankSums mine{work, {median(bytes_per_s), median(macs_per_s)}, matrices_alone(n_rows)};
    const std::vector<RankSums> ranks = comm::gather_to_root(comm, mine);
    const std::vector<std::vector<Amounts>> all_min_s = comm::gather_to_root(comm, min_s);
    if (!comm.is_root()) return;

    double bytes = 0, macs = 0, bandwidth = 0, rate = 0;
    Amounts matrices = mine.matrices;
    for (const RankSums& rank : ranks) {
        bytes += rank.work.bytes;
        macs += rank.work.macs;
        bandwidth += rank.limits.bytes;
        rate += rank.limits.macs;
        matrices.bytes = std::min(matrices.bytes, rank.matrices.bytes);
        matrices.macs = std::min(matrices.macs, rank.matrices.macs);
    }
    std::vector<double> memory_shares(seconds.size()), integer_shares(seconds.size());
    for (const std::vector<Amounts>& rank_s : all_min_s) {
        for (std::size_t i = 0; i < seconds.size(); ++i) {
            memory_shares[i] = std::max(memory_shares[i], rank_s[i].bytes / seconds[i]);
            integer_shares[i] = std::max(integer_shares[i], rank_s[i].macs / seconds[i]);
        }
    }
    const double typical_s = median(seconds);
    record.set("bytes_per_s", bytes / typical_s);
    record.set("read_bandwidth", bandwidth);
    record.set("memory_share", median(memory_shares));
    record.set("matrix_memory_share", matrices.bytes);
    record.set("macs_per_s", or_null(macs / typical_s));
    record.set("integer_rate", or_null(rate));
    record.set("integer_share", or_null(median(integer_shares)));
    record.set("matrix_integer_share", or_null(matrices.macs));
}

} // namespace pillar::bench
