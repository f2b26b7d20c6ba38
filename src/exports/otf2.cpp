// An OTF2 archive: a location group a rank with a thread, on which steps are regions and what they
// are made of are regions within, and with a location of metrics (telemetry). All-reduces whose
// place is known are MPI collectives; waiting in them is a region of its own.

#include "pillar/exports/exports.hpp"

#include "pillar/core/errors.hpp"

#ifdef PILLAR_HAVE_OTF2

#include "timeline.hpp"

#include "pillar/core/output_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fmt/core.h>
#include <map>
#include <otf2/otf2.h>
#include <string_view>
#include <tuple>

#endif

namespace pillar::exports {

#ifndef PILLAR_HAVE_OTF2

bool has_otf2() noexcept {
    return false;
}

void export_otf2(const std::string& /*trace*/, const std::string& /*folder*/, bool /*force*/) {
    throw Error(ExitCode::refused,
                "--export otf2: this pillar was built without OTF2; install "
                "libopen-trace-format2-dev and build it again");
}

#else

bool has_otf2() noexcept {
    return true;
}

namespace {

namespace fs = std::filesystem;

constexpr const char* archive_name = "traces";
constexpr std::uint64_t chunk_bytes = 1 << 20;
constexpr std::uint64_t ticks_a_second = 1'000'000'000;
constexpr std::size_t n_metrics = 5;

/// OTF2 tells its errors here instead of on stderr; what failed is in what it returns.
OTF2_ErrorCode be_silent(void*, const char*, std::uint64_t, const char*, OTF2_ErrorCode code,
                         const char*, va_list) {
    return code;
}

OTF2_FlushType before_flush(void*, OTF2_FileType, OTF2_LocationRef, void*, bool) {
    return OTF2_FLUSH;
}
constexpr OTF2_FlushCallbacks flush_callbacks{before_flush, nullptr};

class Otf2Archive {
  public:
    explicit Otf2Archive(const std::string& folder) : folder_(folder) {
        OTF2_Error_RegisterCallback(be_silent, nullptr);
        archive_ = OTF2_Archive_Open(folder.c_str(), archive_name, OTF2_FILEMODE_WRITE, chunk_bytes,
                                     chunk_bytes, OTF2_SUBSTRATE_POSIX, OTF2_COMPRESSION_NONE);
        if (archive_ == nullptr)
            throw IoError(ExitCode::cannot_create, folder, "cannot create an OTF2 archive");
        check(OTF2_Archive_SetFlushCallbacks(archive_, &flush_callbacks, nullptr));
        check(OTF2_Archive_SetSerialCollectiveCallbacks(archive_));
        check(OTF2_Archive_SetCreator(archive_, "pillar"));
        check(OTF2_Archive_OpenEvtFiles(archive_));
    }
    ~Otf2Archive() {
        if (archive_ != nullptr) OTF2_Archive_Close(archive_);
    }
    Otf2Archive(const Otf2Archive&) = delete;
    Otf2Archive& operator=(const Otf2Archive&) = delete;

    void check(OTF2_ErrorCode code) const {
        if (code != OTF2_SUCCESS)
            throw IoError(ExitCode::io, folder_,
                          fmt::format("cannot write the OTF2 archive: {}",
                                      OTF2_Error_GetDescription(code)));
    }
    template <class Pointer>
    Pointer* got(Pointer* pointer) const {
        if (pointer == nullptr)
            throw IoError(ExitCode::io, folder_, "cannot write the OTF2 archive");
        return pointer;
    }
    [[nodiscard]] OTF2_Archive* get() const noexcept { return archive_; }
    void close() { check(OTF2_Archive_Close(std::exchange(archive_, nullptr))); }

  private:
    std::string folder_;
    OTF2_Archive* archive_ = nullptr;
};

/// Texts and regions by number, defined once.
class Definitions {
  public:
    Definitions(const Otf2Archive& archive, OTF2_GlobalDefWriter* writer)
        : archive_(archive), writer_(writer) {}
    OTF2_StringRef text(const std::string& value) {
        const auto [entry, is_new] =
            texts_.try_emplace(value, static_cast<OTF2_StringRef>(texts_.size()));
        if (is_new)
            archive_.check(
                OTF2_GlobalDefWriter_WriteString(writer_, entry->second, value.c_str()));
        return entry->second;
    }
    OTF2_RegionRef region(const std::string& name, OTF2_RegionRole role, OTF2_Paradigm paradigm) {
        const auto [entry, is_new] =
            regions_.try_emplace(name, static_cast<OTF2_RegionRef>(regions_.size()));
        if (is_new)
            archive_.check(OTF2_GlobalDefWriter_WriteRegion(
                writer_, entry->second, text(name), text(name), text(""), role, paradigm,
                OTF2_REGION_FLAG_NONE, text(""), 0, 0));
        return entry->second;
    }

  private:
    const Otf2Archive& archive_;
    OTF2_GlobalDefWriter* writer_;
    std::map<std::string, OTF2_StringRef> texts_;
    std::map<std::string, OTF2_RegionRef> regions_;
};

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
                const std::array<OTF2_Type, n_metrics> types{
                    OTF2_TYPE_DOUBLE, OTF2_TYPE_DOUBLE, OTF2_TYPE_DOUBLE, OTF2_TYPE_DOUBLE,
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
                OTF2_LOCATION_GROUP_TYPE_PROCESS, node->second,
                OTF2_UNDEFINED_LOCATION_GROUP));
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
    Definitions named_;
    std::vector<std::uint64_t> n_events_; ///< (location)
    Nanoseconds last_ = 0;
};

/// Removes a folder in the making unless it got its name.
class Otf2Folder {
  public:
    explicit Otf2Folder(std::string folder) : folder_(std::move(folder)), part_(folder_ + ".part") {
        std::error_code none;
        fs::remove_all(part_, none);
    }
    ~Otf2Folder() {
        std::error_code none;
        fs::remove_all(part_, none);
    }
    Otf2Folder(const Otf2Folder&) = delete;
    Otf2Folder& operator=(const Otf2Folder&) = delete;
    [[nodiscard]] const std::string& part() const noexcept { return part_; }
    /// Into its place; what stood there of an earlier archive goes.
    void commit() {
        try {
            fs::create_directories(folder_);
            for (const char* name : {"traces", "traces.def", "traces.otf2"}) {
                fs::remove_all(fs::path(folder_) / name);
                fs::rename(fs::path(part_) / name, fs::path(folder_) / name);
            }
        } catch (const fs::filesystem_error& error) {
            throw IoError(ExitCode::cannot_create, folder_,
                          "cannot create: " + error.code().message());
        }
    }

  private:
    std::string folder_, part_;
};

std::string without_slash(std::string folder) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    return folder;
}

} // namespace

void export_otf2(const std::string& path, const std::string& folder, bool force) {
    const std::string target = without_slash(folder);
    std::error_code problem;
    if (fs::exists(fs::path(target) / "traces.otf2", problem) && !force)
        throw IoError(ExitCode::cannot_create, (fs::path(target) / "traces.otf2").string(),
                      "exists already; --force replaces it");
    if (fs::exists(target, problem) && !fs::is_directory(target, problem))
        throw IoError(ExitCode::cannot_create, target, "is no folder");
    const trace::Trace trace = trace::read_trace(path);
    Otf2Folder output(target);
    Otf2Archive archive(output.part());
    Otf2Writer(trace, archive).write();
    archive.close();
    output.commit();
}

#endif

} // namespace pillar::exports
