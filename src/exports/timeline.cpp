#include "timeline.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>

namespace pillar::exports {

namespace {

/// Puts spans one after another; what is shorter than a nanosecond is left out.
class Placer {
  public:
    Placer(double begin_s, Nanoseconds not_before, RankSpans& rank)
        : rank_(rank), offset_s_(std::max(begin_s, static_cast<double>(not_before) * 1e-9)) {
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
        return static_cast<Nanoseconds>(std::llround((offset_s_ + passed_s_) * 1e9));
    }

    RankSpans& rank_;
    double offset_s_; ///< since the trace began
    double passed_s_ = 0;
};

} // namespace

const char* name_of(const Span& span) noexcept {
    const bool is_computing = span.kind == Kind::compute;
    switch (span.what) {
    case Span::What::all:
        return is_computing ? "computing" : span.kind == Kind::wait ? "waiting" : "wire";
    case Span::What::request:
        return "request";
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

Timeline::Timeline(const trace::Trace& trace)
    : trace_(trace), ended_(trace.n_ranks()), ranks_(trace.n_ranks()) {}

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
    Placer place(step.t_start_s, ended_[rank], out);
    const std::size_t first = next_layer_;
    const auto& layers = trace_.layers;
    while (next_layer_ < layers.size() && layers[next_layer_].step == step.step &&
           layers[next_layer_].rank == rank)
        ++next_layer_;
    const std::span mine(layers.data() + first, next_layer_ - first);
    out.has_layers = !mine.empty();
    using What = Span::What;
    if (mine.empty()) {
        place.add(Kind::compute, What::all, row.compute_s);
        place.add(Kind::wait, What::all, row.wait_s);
        place.add(Kind::wire, What::all, row.wire_s);
    } else {
        // What is not the layers' is the request's until the embedding begins, then the reply's.
        double wait_s = row.wait_s, wire_s = row.wire_s;
        for (const trace::LayerRow& layer : mine) {
            wait_s -= layer.attention_wait_s + layer.feed_forward_wait_s;
            wire_s -= layer.attention_wire_s + layer.feed_forward_wire_s;
        }
        const double embed_s = std::isnan(row.embed_s) ? 0 : row.embed_s;
        const double request_s = std::clamp(mine.front().t_start_s - step.t_start_s - embed_s, 0.0,
                                            std::max(0.0, wait_s + wire_s));
        const double request_wait_s = rank == 0 ? 0 : std::clamp(wait_s, 0.0, request_s);
        const double request_wire_s = std::min(request_s - request_wait_s, std::max(0.0, wire_s));
        place.add(Kind::wait, What::request, request_wait_s);
        place.add(Kind::wire, What::request, request_wire_s);
        place.add(Kind::compute, What::embedding, embed_s);
        for (const trace::LayerRow& layer : mine) {
            place.add(Kind::compute, What::attention, layer.attention_s, layer.layer);
            place.add(Kind::wait, What::attention, layer.attention_wait_s, layer.layer);
            place.add(Kind::wire, What::attention, layer.attention_wire_s, layer.layer);
            place.add(Kind::compute, What::feed_forward, layer.feed_forward_s, layer.layer);
            place.add(Kind::wait, What::feed_forward, layer.feed_forward_wait_s, layer.layer);
            place.add(Kind::wire, What::feed_forward, layer.feed_forward_wire_s, layer.layer);
        }
        place.add(Kind::compute, What::output, row.output_s);
        place.add(Kind::wait, What::reply, wait_s - request_wait_s);
        place.add(Kind::wire, What::reply, wire_s - request_wire_s);
    }
    ended_[rank] = out.end;
}

} // namespace pillar::exports
