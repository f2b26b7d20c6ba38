// A location group a rank with a thread, on which steps are regions and what they are made of are
// regions within, and with a location of metrics (telemetry). Collectives whose place is known are
// MPI's; waiting in them is a region of its own.

#ifdef PILLAR_HAVE_OTF2

#include "writer.hpp"

#include "timeline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <tuple>

namespace pillar::exports {

namespace {

constexpr std::uint64_t ticks_a_second = 1'000'000'000;
constexpr std::size_t n_metrics = 5;

OTF2_LocationRef thread_of(std::size_t rank) {
    return 2 * rank;
}
OTF2_LocationRef metrics_of(std::size_t rank) {
    return 2 * rank + 1;
}

class Otf2Writer {
  public:
    Otf2Writer(const trace::Trace& trace, const Otf2Archive& archive)
        : trace_(trace), archive_(archive),
          definitions_(archive.got(OTF2_Archive_GetGlobalDefWriter(archive.get()))),
          named_(archive, definitions_) {}

    void write() {
        write_events();
        write_telemetry();
        write_definitions();
    }

  private:
    void write_events() {
        std::vector<OTF2_EvtWriter*> events;
        for (std::size_t rank = 0; rank < trace_.n_ranks(); ++rank)
            events.push_back(
                archive_.got(OTF2_Archive_GetEvtWriter(archive_.get(), thread_of(rank))));
        Timeline timeline(trace_);
        for (std::size_t i = 0; i < trace_.n_steps(); ++i) {
            const std::vector<RankSpans>& ranks = timeline.step(i);
            for (std::size_t rank = 0; rank < ranks.size(); ++rank)
                write_step(trace_.steps[i], ranks[rank], events[rank]);
        }
        n_events_.resize(trace_.n_ranks() * 2);
        for (std::size_t rank = 0; rank < trace_.n_ranks(); ++rank) {
            archive_.check(
                OTF2_EvtWriter_GetNumberOfEvents(events[rank], &n_events_[thread_of(rank)]));
            archive_.check(OTF2_Archive_CloseEvtWriter(archive_.get(), events[rank]));
        }
    }

    void enter(OTF2_EvtWriter* events, Nanoseconds time, OTF2_RegionRef region) {
        last_ = std::max(last_, time);
        archive_.check(OTF2_EvtWriter_Enter(events, nullptr, ticks(time), region));
    }
    void leave(OTF2_EvtWriter* events, Nanoseconds time, OTF2_RegionRef region) {
        last_ = std::max(last_, time);
        archive_.check(OTF2_EvtWriter_Leave(events, nullptr, ticks(time), region));
    }
    static OTF2_TimeStamp ticks(Nanoseconds time) {
        return static_cast<OTF2_TimeStamp>(std::max<Nanoseconds>(time, 0));
    }

    void write_step(const trace::StepRow& step, const RankSpans& mine, OTF2_EvtWriter* events) {
        if (mine.spans.empty()) return;
        const OTF2_RegionRef whole =
            named_.region(step.phase == trace::Phase::prefill ? "prefill step" : "decode step",
                          OTF2_REGION_ROLE_FUNCTION, OTF2_PARADIGM_USER);
        enter(events, mine.begin, whole);
        for (std::size_t i = 0; i < mine.spans.size();) {
            const std::size_t end = end_of_part(mine.spans, i);
            write_part(step, std::span(mine.spans).subspan(i, end - i), events);
            i = end;
        }
        leave(events, mine.end, whole);
    }

    void write_part(const trace::StepRow& step, std::span<const Span> part,
                    OTF2_EvtWriter* events) {
        const Span& first = part.front();
        const std::string name = name_of(first);
        if (first.kind == Kind::compute || first.what == Span::What::all) {
            const OTF2_RegionRef region =
                named_.region(name, OTF2_REGION_ROLE_CODE, OTF2_PARADIGM_USER);
            enter(events, first.begin, region);
            leave(events, first.end, region);
            return;
        }
        const auto [operation, role, n_bytes] = collective_of(step, first.what);
        const OTF2_RegionRef region = named_.region(name, role, OTF2_PARADIGM_MPI);
        enter(events, first.begin, region);
        archive_.check(OTF2_EvtWriter_MpiCollectiveBegin(events, nullptr, ticks(first.begin)));
        for (const Span& span : part) {
            if (span.kind != Kind::wait) continue;
            const OTF2_RegionRef waiting =
                named_.region("waiting", OTF2_REGION_ROLE_CODE, OTF2_PARADIGM_USER);
            enter(events, span.begin, waiting);
            leave(events, span.end, waiting);
        }
        const std::uint32_t root =
            operation == OTF2_COLLECTIVE_OP_ALLREDUCE ? OTF2_UNDEFINED_UINT32 : 0;
        archive_.check(OTF2_EvtWriter_MpiCollectiveEnd(events, nullptr, ticks(part.back().end),
                                                       operation, 0, root, n_bytes, n_bytes));
        leave(events, part.back().end, region);
    }

    [[nodiscard]] std::tuple<OTF2_CollectiveOp, OTF2_RegionRole, std::uint64_t>
    collective_of(const trace::StepRow& step, Span::What what) const {
        if (what == Span::What::request)
            return {OTF2_COLLECTIVE_OP_BCAST, OTF2_REGION_ROLE_COLL_ONE2ALL, step.request_bytes};
        if (what == Span::What::reply)
            return {OTF2_COLLECTIVE_OP_GATHER, OTF2_REGION_ROLE_COLL_ALL2ONE, step.reply_bytes};
        const auto dim = static_cast<std::uint64_t>(
            std::max<std::int64_t>(0, trace_.config.get<"dim">().value_or(0)));
        return {OTF2_COLLECTIVE_OP_ALLREDUCE, OTF2_REGION_ROLE_COLL_ALL2ALL,
                dim * step.n_rows * sizeof(float)};
    }

    void write_telemetry() {
        std::vector<trace::TelemetryRow> rows = trace_.telemetry;
        std::ranges::stable_sort(rows, {}, &trace::TelemetryRow::t_s);
        for (std::size_t rank = 0; rank < trace_.n_ranks(); ++rank) {
            OTF2_EvtWriter* events =
                archive_.got(OTF2_Archive_GetEvtWriter(archive_.get(), metrics_of(rank)));
            for (const trace::TelemetryRow& row : rows) {
                if (row.rank != rank) continue;
                const std::array<OTF2_Type, n_metrics> types{OTF2_TYPE_DOUBLE, OTF2_TYPE_DOUBLE,
                                                             OTF2_TYPE_DOUBLE, OTF2_TYPE_DOUBLE,
                                                             OTF2_TYPE_DOUBLE};
                std::array<OTF2_MetricValue, n_metrics> values{};
                values[0].floating_point = row.clock_hz;
                values[1].floating_point = row.temperature_c;
                values[2].floating_point = row.supply_v;
                values[3].floating_point = row.power_w;
                values[4].floating_point = static_cast<double>(row.resident_bytes);
                const Nanoseconds time = std::llround(row.t_s * 1e9);
                last_ = std::max(last_, time);
                archive_.check(OTF2_EvtWriter_Metric(events, nullptr, ticks(time), 0, n_metrics,
                                                     types.data(), values.data()));
            }
            archive_.check(OTF2_EvtWriter_GetNumberOfEvents(events, &n_events_[metrics_of(rank)]));
            archive_.check(OTF2_Archive_CloseEvtWriter(archive_.get(), events));
        }
        archive_.check(OTF2_Archive_CloseEvtFiles(archive_.get()));
    }

    void write_definitions() {
        archive_.check(OTF2_GlobalDefWriter_WriteClockProperties(
            definitions_, ticks_a_second, 0, ticks(last_) + 1, OTF2_UNDEFINED_TIMESTAMP));
        archive_.check(OTF2_GlobalDefWriter_WriteParadigm(
            definitions_, OTF2_PARADIGM_MPI, named_.text("MPI"), OTF2_PARADIGM_CLASS_PROCESS));
        write_metrics();
        archive_.check(OTF2_GlobalDefWriter_WriteSystemTreeNode(
            definitions_, 0, named_.text("cluster"), named_.text("machine"),
            OTF2_UNDEFINED_SYSTEM_TREE_NODE));
        std::map<std::string, OTF2_SystemTreeNodeRef> nodes;
        std::vector<std::uint64_t> threads, indices;
        for (std::size_t rank = 0; rank < trace_.n_ranks(); ++rank) {
            const std::string& host = trace_.hosts[rank].hostname;
            const auto [node, is_new] = nodes.try_emplace(host, nodes.size() + 1);
            if (is_new)
                archive_.check(OTF2_GlobalDefWriter_WriteSystemTreeNode(
                    definitions_, node->second, named_.text(host), named_.text("node"), 0));
            const auto group = static_cast<OTF2_LocationGroupRef>(rank);
            archive_.check(OTF2_GlobalDefWriter_WriteLocationGroup(
                definitions_, group, named_.text(fmt::format("rank {}", rank)),
                OTF2_LOCATION_GROUP_TYPE_PROCESS, node->second, OTF2_UNDEFINED_LOCATION_GROUP));
            archive_.check(OTF2_GlobalDefWriter_WriteLocation(
                definitions_, thread_of(rank), named_.text("main thread"),
                OTF2_LOCATION_TYPE_CPU_THREAD, n_events_[thread_of(rank)], group));
            archive_.check(OTF2_GlobalDefWriter_WriteLocation(
                definitions_, metrics_of(rank), named_.text("sensors"), OTF2_LOCATION_TYPE_METRIC,
                n_events_[metrics_of(rank)], group));
            threads.push_back(thread_of(rank));
            indices.push_back(rank);
        }
        const auto n = static_cast<std::uint32_t>(trace_.n_ranks());
        archive_.check(OTF2_GlobalDefWriter_WriteGroup(
            definitions_, 0, named_.text("MPI"), OTF2_GROUP_TYPE_COMM_LOCATIONS, OTF2_PARADIGM_MPI,
            OTF2_GROUP_FLAG_NONE, n, threads.data()));
        archive_.check(OTF2_GlobalDefWriter_WriteGroup(
            definitions_, 1, named_.text("all ranks"), OTF2_GROUP_TYPE_COMM_GROUP,
            OTF2_PARADIGM_MPI, OTF2_GROUP_FLAG_NONE, n, indices.data()));
        archive_.check(OTF2_GlobalDefWriter_WriteComm(definitions_, 0, named_.text("all ranks"), 1,
                                                      OTF2_UNDEFINED_COMM, OTF2_COMM_FLAG_NONE));
        for (std::size_t location = 0; location < n_events_.size(); ++location) {
            OTF2_DefWriter* local =
                archive_.got(OTF2_Archive_GetDefWriter(archive_.get(), location));
            archive_.check(OTF2_Archive_CloseDefWriter(archive_.get(), local));
        }
    }

    void write_metrics() {
        constexpr std::array<std::pair<const char*, const char*>, n_metrics> metrics{
            {{"clock", "Hz"},
             {"temperature", "degrees Celsius"},
             {"supply", "V"},
             {"power", "W"},
             {"resident memory", "byte"}}};
        std::array<OTF2_MetricMemberRef, n_metrics> members{};
        for (std::size_t i = 0; i < n_metrics; ++i) {
            members[i] = static_cast<OTF2_MetricMemberRef>(i);
            archive_.check(OTF2_GlobalDefWriter_WriteMetricMember(
                definitions_, members[i], named_.text(metrics[i].first), named_.text(""),
                OTF2_METRIC_TYPE_OTHER, OTF2_METRIC_ABSOLUTE_POINT, OTF2_TYPE_DOUBLE,
                OTF2_BASE_DECIMAL, 0, named_.text(metrics[i].second)));
        }
        archive_.check(OTF2_GlobalDefWriter_WriteMetricClass(
            definitions_, 0, n_metrics, members.data(), OTF2_METRIC_ASYNCHRONOUS,
            OTF2_RECORDER_KIND_ABSTRACT));
    }

    const trace::Trace& trace_;
    const Otf2Archive& archive_;
    OTF2_GlobalDefWriter* definitions_;
    Otf2Names named_;
    std::vector<std::uint64_t> n_events_; ///< (location)
    Nanoseconds last_ = 0;
};

} // namespace

void write_otf2(const trace::Trace& trace, const Otf2Archive& archive) {
    Otf2Writer(trace, archive).write();
}

} // namespace pillar::exports

#endif
