#include "experts/experts.hpp"

#include "blocks/feed_forward.hpp"
#include "blocks/products.hpp"

#include "pillar/core/hash.hpp"

#include <algorithm>
#include <bit>

namespace pillar::forward {

namespace {

using kernels::block_size;
using Group = ExpertGroups::Group;

/// Sums that stay in a core's cache while experts are added up: floats of all rows of a piece.
constexpr std::size_t floats_a_piece = 64 * 1024;

ExpertBuffers::Views& views_of(Workspace& ws, threads::Worker worker) noexcept {
    return ws.experts.views[static_cast<std::size_t>(worker.index())];
}

/// Of `n` rows of the step from `row` on: those of the other micro-batch stay until its sum is
/// done.
std::span<ChosenExpert> choices_of(Workspace& ws, std::size_t row, std::size_t n) noexcept {
    const std::size_t n_used = ws.model.h.n_experts_used;
    return std::span(ws.experts.choices).subspan(row * n_used, n * n_used);
}

/// The experts of some rows, whose scores are there but for the router's bias.
void choose(Workspace& ws, std::span<const float> bias, const MicroBatch& batch,
            Range rows) noexcept {
    const model::Hyperparameters& h = ws.model.h;
    ExpertBuffers& e = ws.experts;
    for (std::size_t r = rows.begin; r < rows.end; ++r) {
        const std::span<float> scores = e.scores.span().subspan(r * h.n_experts, h.n_experts);
        add_bias(scores.data(), bias, {0, h.n_experts});
        choose_experts(scores, choices_of(ws, batch.begin + r, 1));
    }
}

void group_rows(Workspace& ws, const MicroBatch& batch) noexcept {
    ExpertBuffers& e = ws.experts;
    e.groups.make(choices_of(ws, batch.begin, batch.rows.size()));
}

/// Columns [begin, end) of the groups' list: each its row's normed activations.
void gather(Workspace& ws, threads::Worker worker, const MicroBatch& batch,
            Range columns) noexcept {
    ExpertBuffers& e = ws.experts;
    kernels::Activations& view = views_of(ws, worker).gathered;
    for (const Group& group : e.groups.groups()) {
        const std::size_t begin = std::max(columns.begin, group.begin);
        const std::size_t end = std::min(columns.end, group.begin + group.n);
        if (begin >= end) continue;
        view.point_at(e.gathered, group.begin, group.n);
        for (std::size_t c = begin; c < end; ++c)
            view.copy_column(c - group.begin, batch.normed, e.groups.members()[c].row);
    }
}

/// A piece of one thread's rows of the block's sum: slices are added up as the balanced tree, a
/// finished one to its left neighbour as soon as both are as large.
class SliceSums {
  public:
    /// Residual columns `piece` of the thread's `own`.
    SliceSums(Workspace& ws, const MicroBatch& batch, Range own, Range piece) noexcept
        : ws_(ws), total_(ws.partial_of(batch).data() + piece.begin), n_rows_(batch.rows.size()),
          own_begin_(n_rows_ * own.begin), piece_(piece) {}

    /// Slice s begins: +0.
    void begin(std::size_t s) noexcept {
        sums_ = level(level_of(s));
        for (std::size_t r = 0; r < n_rows_; ++r) std::fill_n(sums_.at(r), piece_.size(), 0.0f);
    }
    /// Where the results of an expert go: column c of residual column i at [c · piece + i].
    [[nodiscard]] float* results() noexcept {
        return ws_.experts.results.data() + ws_.model.h.dim + own_begin_ - piece_.begin;
    }
    /// Column c of the results to a row of the sum.
    void add(std::size_t row, std::size_t c, float weight) noexcept {
        const float* result = results() + c * piece_.size() + piece_.begin;
        ws_.model.family.add_scaled(sums_.at(row), result, weight, piece_.size());
    }
    void end(std::size_t s) noexcept {
        for (std::size_t l = level_of(s); s % 2 == 1; s /= 2, --l)
            for (std::size_t r = 0; r < n_rows_; ++r)
                ws_.model.family.add(level(l - 1).at(r), level(l).at(r), piece_.size());
    }

  private:
    struct Rows {
        float* first = nullptr;
        std::size_t stride = 0;
        [[nodiscard]] float* at(std::size_t row) const noexcept { return first + row * stride; }
    };

    /// Subtrees that are complete before slice s: one for each bit of s.
    static std::size_t level_of(std::size_t s) noexcept {
        return static_cast<std::size_t>(std::popcount(s));
    }
    [[nodiscard]] Rows level(std::size_t l) noexcept {
        if (l == 0) return {total_, ws_.model.h.dim};
        return {ws_.experts.slice_sums[l - 1].data() + own_begin_, piece_.size()};
    }

    Workspace& ws_;
    float* total_;
    std::size_t n_rows_;
    std::size_t own_begin_; ///< of the thread's part of a buffer
    Range piece_;
    Rows sums_;
};

} // namespace

void route(Workspace& ws, threads::Worker worker, std::size_t layer, MicroBatch& batch) noexcept {
    const std::size_t n_rows = batch.rows.size();
    const model::LayerWeights& w = ws.model.weights.layers[layer];
    multiply_share(ws, worker, w.router, batch.normed, ws.experts.scores.data(),
                   ws.model.h.n_experts);
    if (n_rows <= few_rows) {
        worker.serial([&] {
            choose(ws, w.router_bias, batch, {0, n_rows});
            group_rows(ws, batch);
            gather(ws, worker, batch, {0, ws.experts.groups.members().size()});
        });
        return;
    }
    worker.barrier();
    choose(ws, w.router_bias, batch, worker.share(n_rows));
    worker.serial([&] { group_rows(ws, batch); });
    gather(ws, worker, batch, worker.share(ws.experts.groups.members().size()));
    worker.barrier();
}

void route_at_random(Workspace& ws, MicroBatch& batch) noexcept {
    ExpertBuffers& e = ws.experts;
    const std::size_t n_rows = batch.rows.size();
    for (std::size_t i = 0; i < n_rows * ws.model.h.n_experts; ++i)
        e.scores[i] = static_cast<float>(hash_bytes(std::as_bytes(std::span(&i, 1))) >> 40);
    choose(ws, {}, batch, {0, n_rows});
    group_rows(ws, batch);
}

void project_experts(Workspace& ws, threads::Worker worker, std::size_t layer) noexcept {
    const model::Model& model = ws.model;
    ExpertBuffers& e = ws.experts;
    ExpertBuffers::Views& views = views_of(ws, worker);
    const std::size_t n_hidden = model.share.hidden.size();
    const std::size_t n_units = (n_hidden + block_size - 1) / block_size;
    const auto project = [&](const Group& group, std::size_t first, std::size_t last) {
        const model::LayerWeights& w = model.weights.layers[layer];
        const model::Expert& expert = w.experts[group.expert];
        const auto bias_of = [&](std::span<const float> biases) {
            return biases.empty() ? biases : biases.subspan(group.expert * n_hidden, n_hidden);
        };
        const Range columns{first * block_size, std::min(last * block_size, n_hidden)};
        views.gathered.point_at(e.gathered, group.begin, group.n);
        views.hidden.point_at(e.hidden, group.begin, group.n);
        const auto multiply_rows = [&](const kernels::Matrix& matrix, float* y,
                                       std::size_t y_stride) {
            const std::size_t rows = matrix.family().rows_per_group(matrix.shape().type);
            multiply(ws, worker, matrix, views.gathered, y, y_stride,
                     {columns.begin / rows, (columns.end + rows - 1) / rows});
        };
        float* const up = e.up.data() + group.begin * n_hidden;
        multiply_rows(expert.gate, views.hidden.x.data(), views.hidden.x_stride);
        multiply_rows(expert.up, up, n_hidden);
        for (std::size_t c = 0; c < group.n; ++c) {
            ws.look_at_messages(worker);
            float* const gate = views.hidden.column(c);
            add_bias(gate, bias_of(w.expert_gate_bias), columns);
            add_bias(up + c * n_hidden, bias_of(w.expert_up_bias), columns);
            apply_gate(model.family, model.h.layers[layer].activation, gate, up + c * n_hidden,
                       columns);
            if (!model.family.float_activations)
                model.family.quantize(views.hidden, c, first, last);
        }
    };
    e.groups.for_each_share(n_units, worker.index(), worker.count(), project);
}

void sum_expert_activations(Workspace& ws, threads::Worker worker, std::size_t layer,
                            const MicroBatch& batch) noexcept {
    const ExpertBuffers& e = ws.experts;
    for (const Group& group : e.groups.groups()) {
        const auto members = e.groups.members(group);
        ws.sums->add_expert_rows(
            layer, group.expert, batch.normed, group.n,
            [&](std::size_t i) { return members[i].row; }, worker);
        ws.sums->add_expert(layer, group.expert, e.hidden, {group.begin, group.begin + group.n},
                            worker);
    }
}

void add_up_experts(Workspace& ws, threads::Worker worker, std::size_t layer,
                    const MicroBatch& batch) noexcept {
    const model::LayerWeights& w = ws.model.weights.layers[layer];
    ExpertBuffers& e = ws.experts;
    ExpertBuffers::Views& views = views_of(ws, worker);
    const std::span<const Group> all = e.groups.groups();
    const std::size_t n_slices = views.slices.size();
    const kernels::Matrix& any = w.experts.front().down.front();
    const Range mine = worker.share(any.n_groups());
    const std::size_t a_group = any.family().rows_per_group(any.shape().type);
    const std::size_t n_groups =
        std::max<std::size_t>(1, floats_a_piece / (a_group * batch.rows.size()));
    for (std::size_t begin = mine.begin; begin < mine.end; begin += n_groups) {
        const Range groups{begin, std::min(begin + n_groups, mine.end)};
        const Range piece = rows_of(any, groups);
        SliceSums sums(ws, batch, rows_of(any, mine), piece);
        for (std::size_t s = 0; s < n_slices; ++s) {
            sums.begin(s);
            for (std::size_t i = 0; i < all.size(); ++i) {
                const Group& group = all[i];
                const std::size_t next = (i + 1) % all.size(), of_slice = s + (next == 0 ? 1 : 0);
                if (of_slice < n_slices)
                    expect_next(w.experts[all[next].expert].down[of_slice], groups);
                views.slices[s].point_at(e.hidden, group.begin, group.n);
                multiply(ws, worker, w.experts[group.expert].down[s], views.slices[s],
                         sums.results(), piece.size(), groups);
                const auto members = e.groups.members(group);
                for (std::size_t c = 0; c < group.n; ++c)
                    sums.add(members[c].row, c, members[c].weight);
            }
            sums.end(s);
        }
    }
}

void add_expert_biases(Workspace& ws, std::size_t layer, const MicroBatch& batch,
                       std::size_t row) noexcept {
    const std::vector<float>& biases = ws.model.weights.layers[layer].expert_down_bias;
    if (biases.empty()) return;
    const std::size_t dim = ws.model.h.dim;
    float* const sum = ws.partial_of(batch).data() + row * dim;
    for (const ChosenExpert& one : choices_of(ws, batch.begin + row, 1))
        ws.model.family.add_scaled(sum, biases.data() + one.expert * dim, one.weight, dim);
}

} // namespace pillar::forward
