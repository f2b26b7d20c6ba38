#include "timeline.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::exports {

namespace {

/// Puts spans one after another; what is shorter than a nanosecond is left out.
class Placer {
  public:
    Placer(double begin_s, RankSpans& rank) : rank_(rank), begin_s_(begin_s) {
        rank_.begin = rank_.end = now();
        rank_.spans.clear();
    }
    void add(Kind kind, Span::What what, double seconds, std::uint32_t layer = 0) {
        if (!(seconds > 0)) return; // nor what is not known
        const Nanoseconds begin = rank_.end;
        passed_s_ += seconds;
        rank_.end = now();
        if (rank_.end > begin) rank_.spans.push_back({begin, rank_.end, kind, what, layer});
    }

  private:
    [[nodiscard]] Nanoseconds now() const {
        return static_cast<Nanoseconds>(std::llround((begin_s_ + passed_s_) * 1e9));
    }

    RankSpans& rank_;
    double begin_s_; ///< since the trace began
    double passed_s_ = 0;
};

double known(double seconds) {
    return std::isnan(seconds) ? 0 : seconds;
}

/// A step whose layers are told of. What a rank computed, waited and sent besides is the request's
/// until the embedding begins, then the reply's.
void place_layers(const trace::RankRow& row, std::span<const trace::LayerRow> layers, bool is_root,
                  double not_before_s, RankSpans& out) {
    using What = Span::What;
    double compute_s = row.compute_s, wait_s = row.wait_s, wire_s = row.wire_s;
    for (const trace::LayerRow& layer : layers) {
        compute_s -= layer.attention_s + layer.feed_forward_s;
        wait_s -= layer.attention_wait_s + layer.feed_forward_wait_s;
        wire_s -= layer.attention_wire_s + layer.feed_forward_wire_s;
    }
    const double embed_s = known(row.embed_s), output_s = known(row.output_s);
    // A rank that came late has no request before it came, one whose clock is off none at all.
    const double embed_begin_s = std::max(not_before_s, layers.front().t_start_s - embed_s);
    double room_s = embed_begin_s - not_before_s;
    const auto take = [&room_s](double seconds) {
        const double taken_s = std::clamp(seconds, 0.0, room_s);
        room_s -= taken_s;
        return taken_s;
    };
    const double prepare_s = take(compute_s - embed_s - output_s);
    const double request_wait_s = is_root ? 0 : take(wait_s);
    const double request_wire_s = take(wire_s);

    Placer place(not_before_s + room_s, out);
    place.add(Kind::compute, What::request, prepare_s);
    place.add(Kind::wait, What::request, request_wait_s);
    place.add(Kind::wire, What::request, request_wire_s);
    place.add(Kind::compute, What::embedding, embed_s);
    for (const trace::LayerRow& layer : layers) {
        place.add(Kind::compute, What::attention, layer.attention_s, layer.layer);
        place.add(Kind::wait, What::attention, layer.attention_wait_s, layer.layer);
        place.add(Kind::wire, What::attention, layer.attention_wire_s, layer.layer);
        place.add(Kind::compute, What::feed_forward, layer.feed_forward_s, layer.layer);
        place.add(Kind::wait, What::feed_forward, layer.feed_forward_wait_s, layer.layer);
        place.add(Kind::wire, What::feed_forward, layer.feed_forward_wire_s, layer.layer);
    }
    place.add(Kind::compute, What::output, output_s);
    place.add(Kind::wait, What::reply, wait_s - request_wait_s);
    place.add(Kind::wire, What::reply, wire_s - request_wire_s);
}

void place_sums(const trace::RankRow& row, double begin_s, RankSpans& out) {
    Placer place(begin_s, out);
    place.add(Kind::compute, Span::What::all, row.compute_s);
    place.add(Kind::wait, Span::What::all, row.wait_s);
    place.add(Kind::wire, Span::What::all, row.wire_s);
}

} // namespace

const char* name_of(const Span& span) noexcept {
    const bool is_computing = span.kind == Kind::compute;
    switch (span.what) {
    case Span::What::all:
        return is_computing ? "computing" : span.kind == Kind::wait ? "waiting" : "wire";
    case Span::What::request:
        return is_computing ? "preparing" : "request";
    case Span::What::embedding:
        return "embedding";
    case Span::What::attention:
        return is_computing ? "attention" : "all-reduce 1";
    case Span::What::feed_forward:
        return is_computing ? "feed-forward" : "all-reduce 2";
    case Span::What::output:
        return "output";
    case Span::What::reply:
        break;
    }
    return "reply";
}

std::size_t end_of_part(const std::vector<Span>& spans, std::size_t first) noexcept {
    const Span& one = spans[first];
    std::size_t end = first + 1;
    if (one.kind == Kind::compute || one.what == Span::What::all) return end;
    while (end < spans.size() && spans[end].kind != Kind::compute && spans[end].what == one.what &&
           spans[end].layer == one.layer)
        ++end;
    return end;
}

Timeline::Timeline(const trace::Trace& trace) : trace_(trace), ranks_(trace.n_ranks()) {}

const std::vector<RankSpans>& Timeline::step(std::size_t index) {
    const std::uint64_t number = trace_.steps.at(index).step;
    const auto& layers = trace_.layers;
    while (next_layer_ < layers.size() && layers[next_layer_].step < number) ++next_layer_;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) divide(index, rank);
    return ranks_;
}

/// Rows of /layers come by step, rank and layer.
void Timeline::divide(std::size_t index, std::size_t rank) {
    const trace::StepRow& step = trace_.steps[index];
    const trace::RankRow& row = trace_.at(index, rank);
    RankSpans& out = ranks_[rank];
    const double not_before_s = std::max(step.t_start_s, static_cast<double>(out.end) * 1e-9);
    const std::size_t first = next_layer_;
    const auto& layers = trace_.layers;
    while (next_layer_ < layers.size() && layers[next_layer_].step == step.step &&
           layers[next_layer_].rank == rank)
        ++next_layer_;
    const std::span mine(layers.data() + first, next_layer_ - first);
    out.has_layers = !mine.empty();
    if (mine.empty())
        place_sums(row, not_before_s, out);
    else
        place_layers(row, mine, rank == 0, not_before_s, out);
}

} // namespace pillar::exports
