// The trace event format:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU Complete events
// ("X") for spans, flow events ("s", "f") from the rank that came last to an all-reduce to those
// that waited for it, counters ("C") for telemetry, metadata ("M") for names. Times are
// microseconds, here with three decimals, so that spans that touch do so in nanoseconds.

#include "pillar/exports/exports.hpp"
#include "text_file.hpp"
#include "timeline.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <string_view>

namespace pillar::exports {

namespace {

enum Track : int {
    steps_track,
    compute_track,
    wait_track,
    wire_track,
    layers_track,
    between_track
};
constexpr std::array<std::string_view, 6> track_names{"steps", "compute", "waiting",
                                                      "wire",  "layers",  "between steps"};

/// A number that no other rank's track has, nor a process: viewers take a thread with the number of
/// a process for its main one, and two with the same number for one.
std::size_t thread_of(std::size_t rank, int track) {
    return 1000 * (rank + 1) + static_cast<std::size_t>(track);
}

int track_of(Kind kind) {
    return kind == Kind::compute ? compute_track : kind == Kind::wait ? wait_track : wire_track;
}

std::string json_of(std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string microseconds(Nanoseconds time) {
    return fmt::format("{}{}.{:03}", time < 0 ? "-" : "", std::abs(time) / 1000,
                       std::abs(time) % 1000);
}

std::string_view phase_name(trace::Phase phase) {
    return phase == trace::Phase::prefill ? "prefill" : "decode";
}

/// Writes events, one a line.
class Events {
  public:
    explicit Events(TextFile& file) : file_(file) {}

    void metadata(std::size_t rank, int track, std::string_view what, std::string_view argument) {
        event(fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"{}","args":{{{}}}}})", rank,
                          thread_of(rank, track), what, argument));
    }
    /// `arguments`: the inside of a JSON object.
    void span(std::size_t rank, int track, std::string_view category, std::string_view name,
              Nanoseconds begin, Nanoseconds end, std::string_view arguments) {
        event(fmt::format(
            R"({{"ph":"X","pid":{},"tid":{},"cat":"{}","name":"{}","ts":{},"dur":{},"args":{{{}}}}})",
            rank, thread_of(rank, track), category, name, microseconds(begin),
            microseconds(end - begin), arguments));
    }
    void flow(char phase, std::size_t rank, int track, std::uint64_t id, Nanoseconds time) {
        event(fmt::format(
            R"({{"ph":"{}","pid":{},"tid":{},"cat":"all-reduce","name":"all-reduce","id":{},"ts":{}{}}})",
            phase, rank, thread_of(rank, track), id, microseconds(time),
            phase == 'f' ? R"(,"bp":"e")" : ""));
    }
    void counter(std::size_t rank, std::string_view name, std::string_view unit, double time_s,
                 double value) {
        if (std::isnan(value)) return;
        event(fmt::format(R"({{"ph":"C","pid":{},"name":"{}","ts":{},"args":{{"{}":{}}}}})", rank,
                          name, microseconds(std::llround(time_s * 1e9)), unit, value));
    }

  private:
    void event(const std::string& text) {
        file_.write(is_first_ ? "\n" : ",\n");
        file_.write(text);
        is_first_ = false;
    }

    TextFile& file_;
    bool is_first_ = true;
};

void write_names(const trace::Trace& trace, Events& events) {
    for (std::size_t rank = 0; rank < trace.n_ranks(); ++rank) {
        events.metadata(
            rank, steps_track, "process_name",
            "\"name\":" + json_of(fmt::format("rank {} on {}", rank, trace.hosts[rank].hostname)));
        events.metadata(rank, steps_track, "process_sort_index",
                        fmt::format("\"sort_index\":{}", rank));
        for (int track = 0; track < static_cast<int>(track_names.size()); ++track) {
            if (track == between_track && rank != 0) continue;
            events.metadata(
                rank, track, "thread_name",
                fmt::format("\"name\":\"{}\"", track_names[static_cast<std::size_t>(track)]));
            events.metadata(rank, track, "thread_sort_index",
                            fmt::format("\"sort_index\":{}", track));
        }
    }
}

void write_step(const trace::StepRow& step, std::size_t rank, const RankSpans& mine,
                Events& events) {
    if (mine.end == mine.begin) return;
    events.span(rank, steps_track, "step", fmt::format("{} {}", phase_name(step.phase), step.step),
                mine.begin, mine.end,
                fmt::format(R"("step":{},"rows":{},"logits":{},"attended":{},"layers":{})",
                            step.step, step.n_rows, step.n_logits, step.n_attended,
                            mine.has_layers ? R"("as they were")" : R"("sums only")"));
    for (const Span& span : mine.spans)
        events.span(rank, track_of(span.kind),
                    span.kind == Kind::compute ? "compute"
                    : span.kind == Kind::wait  ? "wait"
                                               : "wire",
                    name_of(span), span.begin, span.end,
                    span.what == Span::What::attention || span.what == Span::What::feed_forward
                        ? fmt::format(R"("step":{},"layer":{})", step.step, span.layer)
                        : fmt::format(R"("step":{})", step.step));
}

/// A span over each layer's, and within it its parts.
void write_layers(const trace::StepRow& step, std::size_t rank, const RankSpans& mine,
                  Events& events) {
    const auto is_layers = [](const Span& span) {
        return span.what == Span::What::attention || span.what == Span::What::feed_forward;
    };
    for (std::size_t i = 0; i < mine.spans.size();) {
        const Span& first = mine.spans[i];
        std::size_t end = i + 1;
        if (is_layers(first)) {
            while (end < mine.spans.size() && is_layers(mine.spans[end]) &&
                   mine.spans[end].layer == first.layer)
                ++end;
            events.span(rank, layers_track, "layer", fmt::format("layer {}", first.layer),
                        first.begin, mine.spans[end - 1].end,
                        fmt::format(R"("step":{},"layer":{})", step.step, first.layer));
            for (std::size_t k = i; k < end;) {
                const std::size_t next = end_of_part(mine.spans, k);
                events.span(rank, layers_track, "layer", name_of(mine.spans[k]),
                            mine.spans[k].begin, mine.spans[next - 1].end,
                            fmt::format(R"("step":{},"layer":{})", step.step, first.layer));
                k = next;
            }
        }
        i = end;
    }
}

/// From where the rank that waited least came to an all-reduce to the wire of all others, for each
/// all-reduce whose place is known.
class Flows {
  public:
    void write(const std::vector<RankSpans>& ranks, Events& events) {
        if (ranks.size() < 2) return;
        const std::vector<Span>& spans = ranks.front().spans;
        for (std::size_t i = 0; i < spans.size(); i = end_of_part(spans, i)) {
            if (spans[i].kind != Kind::compute && (spans[i].what == Span::What::attention ||
                                                   spans[i].what == Span::What::feed_forward))
                write_one(ranks, spans[i], events);
        }
    }

  private:
    /// An all-reduce on one rank. Who came last did not wait; who seems to have waited to the end,
    /// for clocks may be off, has no wire.
    struct Part {
        const Span* wait = nullptr;
        const Span* wire = nullptr;

        [[nodiscard]] const Span& first() const { return wait != nullptr ? *wait : *wire; }
        [[nodiscard]] const Span& last() const { return wire != nullptr ? *wire : *wait; }
        [[nodiscard]] Nanoseconds waited() const {
            return wait != nullptr ? wait->end - wait->begin : 0;
        }
    };

    void write_one(const std::vector<RankSpans>& ranks, const Span& of, Events& events) {
        std::vector<Part> parts(ranks.size());
        for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
            for (const Span& span : ranks[rank].spans) {
                if (span.what != of.what || span.layer != of.layer) continue;
                if (span.kind == Kind::wait) parts[rank].wait = &span;
                if (span.kind == Kind::wire) parts[rank].wire = &span;
            }
            if (parts[rank].wait == nullptr && parts[rank].wire == nullptr)
                return; // a rank's record is missing
        }
        const auto least =
            std::min_element(parts.begin(), parts.end(),
                             [](const Part& a, const Part& b) { return a.waited() < b.waited(); });
        const auto from = static_cast<std::size_t>(least - parts.begin());
        const Span& came = least->first();
        for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
            if (rank == from) continue;
            const std::uint64_t id = next_id_++;
            const Span& to = parts[rank].last();
            events.flow('s', from, track_of(came.kind), id, came.begin);
            // An arrow does not go back in time, but for clocks.
            events.flow('f', rank, track_of(to.kind), id,
                        to.kind == Kind::wait ? to.end - 1
                                              : std::clamp(came.begin, to.begin, to.end - 1));
        }
    }

    std::uint64_t next_id_ = 1;
};

/// What rank 0 does outside of the steps.
void write_between(const trace::StepRow& step, const RankSpans& root, Nanoseconds& free_from,
                   Events& events) {
    const auto nanoseconds = [](double seconds) {
        return static_cast<Nanoseconds>(std::llround(std::max(0.0, seconds) * 1e9));
    };
    const std::string arguments = fmt::format(R"("step":{})", step.step);
    const Nanoseconds propose = nanoseconds(step.propose_s), sample = nanoseconds(step.sample_s);
    const Nanoseconds begin = std::max(free_from, root.begin - propose);
    if (propose > 0 && begin < root.begin)
        events.span(0, between_track, "between", "propose", begin, root.begin, arguments);
    if (sample > 0)
        events.span(0, between_track, "between", "sample", root.end, root.end + sample, arguments);
    free_from = root.end + sample;
}

void write_telemetry(const trace::Trace& trace, Events& events) {
    for (const trace::TelemetryRow& row : trace.telemetry) {
        events.counter(row.rank, "clock", "GHz", row.t_s, row.clock_hz * 1e-9);
        events.counter(row.rank, "temperature", "°C", row.t_s, row.temperature_c);
        events.counter(row.rank, "power", "W", row.t_s, row.power_w);
        events.counter(row.rank, "supply", "V", row.t_s, row.supply_v);
        events.counter(row.rank, "memory", "MiB", row.t_s,
                       static_cast<double>(row.resident_bytes) / (1 << 20));
    }
}

} // namespace

void export_chrome(const std::string& path, const std::string& file, bool force) {
    expect_output(file, force, std::span(&path, 1));
    const trace::Trace trace = trace::read_trace(path);
    TextFile output(file);
    output.write(fmt::format("{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"title\":{},"
                             "\"created\":{},\"model\":{}}},\n\"traceEvents\":[",
                             json_of(trace.title), json_of(trace.created),
                             json_of(trace.config.text<"model">())));
    Events events(output);
    write_names(trace, events);
    Timeline timeline(trace);
    Flows flows;
    Nanoseconds free_from = 0;
    for (std::size_t i = 0; i < trace.n_steps(); ++i) {
        const std::vector<RankSpans>& ranks = timeline.step(i);
        for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
            write_step(trace.steps[i], rank, ranks[rank], events);
            write_layers(trace.steps[i], rank, ranks[rank], events);
        }
        flows.write(ranks, events);
        write_between(trace.steps[i], ranks.front(), free_from, events);
    }
    write_telemetry(trace, events);
    output.write("\n]}\n");
    output.commit();
}

} // namespace pillar::exports
