#pragma once
// A trace as spans of time on every rank, in nanoseconds since the trace began on rank 0's clock.
// Spans of a rank follow one another without overlap.
//
// Where /layers tells of a step, its spans stand where they were. Of other steps only sums are
// known: what the rank computed, waited and sent in all comes one after another, in this order.

#include "pillar/trace/reader.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pillar::exports {

using Nanoseconds = std::int64_t;

enum class Kind : std::uint8_t { compute, wait, wire };

struct Span {
    /// What is computed, or of which collective it is.
    enum class What : std::uint8_t {
        all,     ///< of a step whose layers are not told of
        request, ///< broadcast of rank 0's request, and what comes before it
        embedding,
        attention, ///< of a layer, or its all-reduce, as the next one
        feed_forward,
        output,
        reply, ///< gather of the replies
    };
    Nanoseconds begin = 0;
    Nanoseconds end = 0;
    Kind kind{};
    What what{};
    std::uint32_t layer = 0;
};
/// "attention", "all-reduce 1", "step" …
[[nodiscard]] const char* name_of(const Span& span) noexcept;

/// Where the part that begins with spans[first] ends: waiting in a collective and its wire are one.
[[nodiscard]] std::size_t end_of_part(const std::vector<Span>& spans, std::size_t first) noexcept;

/// A step on a rank.
struct RankSpans {
    Nanoseconds begin = 0;
    Nanoseconds end = 0;
    bool has_layers = false;
    std::vector<Span> spans; ///< none: the rank's record is missing
};

/// Goes through the steps of a trace in order.
class Timeline {
  public:
    explicit Timeline(const trace::Trace& trace);
    /// The next step on all ranks; steps are asked for in order, each once.
    [[nodiscard]] const std::vector<RankSpans>& step(std::size_t index);

  private:
    void divide(std::size_t index, std::size_t rank);

    const trace::Trace& trace_;
    std::size_t next_layer_ = 0;   ///< of trace_.layers
    std::vector<RankSpans> ranks_; ///< of the last step
};

} // namespace pillar::exports
