// One token over the ranks: boxes over time, of layers where the trace has them.

#include "figures/areas.hpp"
#include "figures/kinds.hpp"
#include "script.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>

namespace pillar::plots {

namespace {

/// Boxes of one kind, one line a rank.
class Boxes {
  public:
    Boxes(std::string name, std::string title, std::string fill)
        : block_(std::move(name)), title_(std::move(title)), fill_(std::move(fill)) {}
    /// From `begin_ms` on; gives back where it ends.
    double add(std::size_t rank, double begin_ms, double length_s) {
        const double end_ms = begin_ms + (std::isfinite(length_s) ? 1e3 * length_s : 0);
        const auto y = static_cast<double>(rank);
        if (end_ms > begin_ms)
            block_.add({(begin_ms + end_ms) / 2, y, begin_ms, end_ms, y - 0.35, y + 0.35});
        return end_ms;
    }
    [[nodiscard]] bool is_empty() const { return block_.is_empty(); }
    [[nodiscard]] std::string block() const { return block_.text(); }
    [[nodiscard]] std::string piece() const {
        return fmt::format("{} using 1:2:3:4:5:6 with boxxyerror {} title '{}'", block_.name(),
                           fill_, title_);
    }

  private:
    Block block_;
    std::string title_, fill_;
};

/// Axes with a line a rank.
std::string axes(const report::ScalingRow& row, std::size_t n_ranks, const std::string& x_range) {
    std::vector<double> places;
    std::vector<std::string> labels;
    for (std::size_t rank = 0; rank < n_ranks; ++rank) {
        places.push_back(static_cast<double>(rank));
        labels.push_back(fmt::format("{} {}", rank, row.totals.ranks[rank].host));
    }
    return "unset grid\nset grid xtics linecolor '#b8b8b8' linewidth 0.8\n"
           "set xlabel 'milliseconds since the step began'\nset ylabel 'rank'\n" +
           tics("y", places, labels) +
           fmt::format("set yrange [{:.1f}:-0.6]\nset xrange {}\n",
                       static_cast<double>(n_ranks) - 0.4, x_range);
}

int height_of(std::size_t n_ranks) {
    return static_cast<int>(std::min<std::size_t>(1000, 210 + 45 * n_ranks));
}

template <class AllBoxes>
std::string script_of_boxes(const AllBoxes& all, const std::string& axes_text) {
    std::string script = style();
    std::vector<std::string> pieces;
    for (const Boxes& boxes : all) {
        if (boxes.is_empty()) continue;
        script += boxes.block();
        pieces.push_back(boxes.piece());
    }
    return script + axes_text + plot(pieces);
}

std::string title_of(const report::ScalingRow& row, const report::ExampleStep& example,
                     const char* what) {
    return fmt::format("{} over the ranks, {}, step {}", what, label_of(row), example.step);
}

void add_sums(Figures& figures, const report::ScalingRow& row, const report::ExampleStep& example) {
    std::array boxes{Boxes("$compute", areas[0].name, areas[0].fill),
                     Boxes("$wait", areas[1].name, areas[1].fill),
                     Boxes("$wire", areas[2].name, areas[2].fill)};
    for (std::size_t rank = 0; rank < example.ranks.size(); ++rank) {
        const trace::RankTimes& times = example.ranks[rank];
        double at_ms = 0;
        at_ms = boxes[0].add(rank, at_ms, times.compute_s);
        at_ms = boxes[1].add(rank, at_ms, times.wait_s);
        boxes[2].add(rank, at_ms, times.wire_s);
    }
    figures.push_back(
        {"token-over-ranks", title_of(row, example, "One token"),
         "The decode step whose time is nearest to the median. All computing of a rank is drawn "
         "first, then all its waiting for others, then its moving of bytes; traces of "
         "--trace-layers have them as they came.",
         script_of_boxes(boxes, axes(row, example.ranks.size(), "[0:*]")), 800,
         height_of(example.ranks.size())});
}

/// Layers [first, last].
std::string layers_script(const report::ScalingRow& row, const report::ExampleStep& example,
                          std::uint32_t first, std::uint32_t last) {
    const auto without_border = [](const char* fill) {
        return fmt::format("linetype 1 fillcolor {} noborder", fill);
    };
    const bool is_near = last - first < 8;
    const auto fill = [&](const char* full, const char* bare) {
        return is_near ? std::string(full) : without_border(bare);
    };
    std::array boxes{
        Boxes("$attention", "attention", fill(areas[0].fill, "'#0072B2' fillstyle solid 1")),
        Boxes("$feed", "feed-forward",
              fill("linetype 1 fillcolor '#56B4E9' fillstyle solid 1 border linecolor '#303030'",
                   "'#56B4E9' fillstyle solid 1")),
        Boxes("$wait", "wait", fill(areas[1].fill, "'#F0E442' fillstyle solid 1")),
        Boxes("$wire", "wire", fill(areas[2].fill, "'#D55E00' fillstyle solid 1"))};
    double least_ms = 1e300, most_ms = 0;
    for (const trace::LayerRow& layer : example.layers) {
        if (layer.layer < first || layer.layer > last) continue;
        double at_ms = 1e3 * (layer.t_start_s - example.t_start_s);
        least_ms = std::min(least_ms, at_ms);
        at_ms = boxes[0].add(layer.rank, at_ms, layer.attention_s);
        at_ms = boxes[2].add(layer.rank, at_ms, layer.attention_wait_s);
        at_ms = boxes[3].add(layer.rank, at_ms, layer.attention_wire_s);
        at_ms = boxes[1].add(layer.rank, at_ms, layer.feed_forward_s);
        at_ms = boxes[2].add(layer.rank, at_ms, layer.feed_forward_wait_s);
        at_ms = boxes[3].add(layer.rank, at_ms, layer.feed_forward_wire_s);
        most_ms = std::max(most_ms, at_ms);
    }
    const std::string range =
        is_near ? fmt::format("[{:.6g}:{:.6g}]", least_ms, most_ms) : std::string("[0:*]");
    return script_of_boxes(boxes, axes(row, example.ranks.size(), range));
}

} // namespace

void add_gantt(Figures& figures, const report::ScalingTable& table) {
    const report::ScalingRow* row = widest_row(table);
    if (row == nullptr || !row->totals.example) return;
    const report::ExampleStep& example = *row->totals.example;
    if (example.layers.empty()) {
        add_sums(figures, *row, example);
        return;
    }
    const std::uint32_t n_layers =
        std::ranges::max_element(example.layers, {}, &trace::LayerRow::layer)->layer + 1;
    figures.push_back(
        {"token-over-ranks", title_of(*row, example, "One token"),
         "Of the decode steps whose layers are recorded the one whose time is nearest "
         "to the median, layer by layer.",
         layers_script(*row, example, 0, n_layers - 1), 800, height_of(example.ranks.size())});
    if (n_layers <= 8) return;
    const std::uint32_t first = n_layers / 2;
    figures.push_back(
        {"layers-over-ranks",
         title_of(*row, example, fmt::format("Layers {} and {}", first, first + 1).c_str()),
         "Two layers of the same step: waiting ends when the last rank comes.",
         layers_script(*row, example, first, first + 1), 800, height_of(example.ranks.size())});
}

} // namespace pillar::plots
