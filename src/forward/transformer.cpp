// One step: embedding and rotary angles of its rows, all layers, the logits that are wanted.

#include "pillar/forward/transformer.hpp"

#include "blocks/logits.hpp"
#include "blocks/norms.hpp"
#include "blocks/products.hpp"
#include "layer.hpp"
#include "micro_batches.hpp"
#include "workspace.hpp"

#include "pillar/core/elementary.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/hash.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/forward/micro_batches.hpp"

#include <algorithm>
#include <utility>

namespace pillar::forward {

Transformer::Transformer(const model::Model& model, const TransformerOptions& options,
                         threads::Team& team)
    : workspace_(std::make_unique<Workspace>(model, options, team)) {}

Transformer::~Transformer() = default;

namespace {

/// Embedding rows of some of the step's rows, straight from the file. A failure leaves zeros and is
/// told later: the step must end on all ranks alike.
void embed(Workspace& ws, threads::Worker worker, std::span<const Row> rows, Range mine) noexcept {
    if (mine.begin == mine.end) return;
    const model::Model& model = ws.model;
    const gguf::TensorInfo& table = *model.weights.embedding;
    auto& raw = ws.embedding_rows[static_cast<std::size_t>(worker.index())];
    const auto x = [&](std::size_t r) {
        return ws.buffers.x.span().subspan(r * model.h.dim, model.h.dim);
    };
    try {
        for (std::size_t r = mine.begin; r < mine.end; ++r) {
            ws.look_at_messages(worker);
            model.file.read(table, static_cast<std::uint64_t>(rows[r].token) * raw.size(), raw);
            quant::decode_row(static_cast<quant::Type>(table.type->number), raw, x(r));
            multiply_by(x(r).data(), model.h.embedding_scale, model.h.dim);
        }
        model.file.expect_unchanged(table); // afterwards: what was read is what was opened
    } catch (const std::exception& failure) {
        for (std::size_t r = mine.begin; r < mine.end; ++r) std::ranges::fill(x(r), 0.0f);
        if (!ws.embedding_failed.exchange(true)) ws.error = failure.what();
    }
}

/// Of the positions that later training has added, where the model attends with a temperature.
void query_factors(Workspace& ws, std::span<const Row> rows, Range mine) noexcept {
    const model::Hyperparameters& h = ws.model.h;
    for (std::size_t r = mine.begin; r < mine.end; ++r) {
        const std::size_t n_lengths =
            static_cast<std::size_t>(rows[r].position) / h.temperature_length;
        const double logarithm = log_f64(static_cast<double>(n_lengths) + 1.0);
        ws.buffers.query_factors[r] = static_cast<float>(1.0 + h.temperature_scale * logarithm);
    }
}

void rotary_angles(Workspace& ws, std::span<const Row> rows, Range mine) noexcept {
    for (std::size_t table = 0; table < ws.model.rope.size(); ++table) {
        RotaryAngles& angles = ws.buffers.angles[table];
        const std::size_t n = angles.n_pairs;
        for (std::size_t r = mine.begin; r < mine.end; ++r)
            ws.model.rope[table].angles(rows[r].position, angles.cosine.span().subspan(r * n, n),
                                        angles.sine.span().subspan(r * n, n));
    }
}

} // namespace

std::span<const float> Transformer::forward(comm::Communicator& comm, std::span<const Row> rows) {
    Workspace& ws = *workspace_;
    const model::Hyperparameters& h = ws.model.h;
    expects(rows.size() <= ws.options.max_rows, "a step has more rows than buffers");
    std::size_t n_wanted = 0;
    for (const Row& row : rows) {
        expects(row.token >= 0 && static_cast<std::size_t>(row.token) < h.vocab_size,
                "a token is out of range");
        expects(ws.cache.reserve(row.sequence, row.position), "the KV cache has no page left");
        n_wanted += row.want_logits ? 1 : 0;
    }
    expects(n_wanted <= ws.options.max_logit_rows,
            "a step wants more logits than there is room for");

    const std::size_t n_first = first_micro_batch(rows.size(), ws.model.share.n_ranks);
    const bool is_cut = n_first < rows.size();
    ws.micro_batches[0].set_rows(rows, 0, n_first);
    if (is_cut) ws.micro_batches[1].set_rows(rows, n_first, rows.size());
    const auto prepare = [&](threads::Worker worker, Range mine) {
        embed(ws, worker, rows, mine);
        rotary_angles(ws, rows, mine);
        query_factors(ws, rows, mine);
    };
    ws.comm = comm.size() > 1 ? &comm : nullptr;
    comm.set_allreduces_a_layer(
        allreduces_a_layer(rows.size(), ws.model.share.n_ranks, model::n_joint_norms(h) > 0));
    const auto compute = [&](threads::Worker worker) {
        for (MicroBatch& batch : std::span(ws.micro_batches).first(is_cut ? 2 : 1))
            start_layers(ws, worker, batch, [&](Range mine) { prepare(worker, mine); });
        if (worker.is_main()) ws.layers_begin_s = monotonic_s();
        if (is_cut) compute_micro_batches(ws, worker, comm);
        for (std::size_t layer = 0; layer < h.n_layers && !is_cut; ++layer)
            compute_layer(ws, worker, comm, layer, ws.micro_batches[0]);
        if (n_wanted > 0) output_logits(ws, worker, rows);
    };
    ws.team.run(compute, [&] { ws.look_at_messages(); });
    for (const Row& row : rows) ws.cache.forget(row.sequence, row.position);
    ws.embedding_bytes += rows.size() * ws.embedding_rows[0].size();
    ws.residual_hash = hash_of(std::span<const float>(ws.buffers.x.data(), rows.size() * h.dim));
    return ws.buffers.logits.span().first(n_wanted * ws.model.share.vocabulary.size());
}

void Transformer::share(std::int32_t sequence, std::int32_t from,
                        std::int32_t n_positions) noexcept {
    workspace_->cache.share(sequence, from, n_positions);
}
bool Transformer::shares_pages() const noexcept {
    return workspace_->cache.shares_pages();
}
void Transformer::truncate(std::int32_t sequence, std::int32_t n_positions) noexcept {
    workspace_->cache.truncate(sequence, n_positions);
}
bool Transformer::keeps(std::int32_t sequence, std::int32_t n_positions) const noexcept {
    return workspace_->cache.keeps(sequence, n_positions);
}
bool Transformer::reserve(std::int32_t sequence, std::size_t n_positions) noexcept {
    return n_positions == 0 ||
           workspace_->cache.reserve(sequence, static_cast<std::int32_t>(n_positions - 1));
}
void Transformer::read_kv(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                          std::size_t kv_head, std::span<std::byte> rows) const noexcept {
    expects(shares_pages(), "no layer has forgotten what is read");
    workspace_->cache.read_rows(sequence, n_positions, layer, kv_head, rows);
}
void Transformer::write_kv(std::int32_t sequence, std::size_t n_positions, std::size_t layer,
                           std::size_t kv_head, std::span<const std::byte> rows) noexcept {
    expects(shares_pages(), "no layer forgets what is written");
    workspace_->cache.write_rows(sequence, n_positions, layer, kv_head, rows);
}
std::size_t Transformer::kv_row_bytes() const noexcept {
    return cache::KvCache::row_bytes(options().cache_types, hyperparameters().head_dim);
}
std::size_t Transformer::free_pages() const noexcept {
    return workspace_->cache.free_pages();
}
std::size_t Transformer::used_pages() const noexcept {
    return workspace_->cache.used_pages();
}
std::uint64_t Transformer::residual_hash() const noexcept {
    return workspace_->residual_hash;
}

double Transformer::layers_begin_s() const noexcept {
    return workspace_->layers_begin_s;
}

std::string Transformer::take_error() {
    workspace_->embedding_failed.store(false);
    return std::exchange(workspace_->error, {});
}

const model::Model& Transformer::model() const noexcept {
    return workspace_->model;
}
const TransformerOptions& Transformer::options() const noexcept {
    return workspace_->options;
}
threads::Team& Transformer::team() const noexcept {
    return workspace_->team;
}
std::uint64_t Transformer::embedding_bytes_read() const noexcept {
    return workspace_->embedding_bytes;
}
ActivationSums* Transformer::activation_sums() noexcept {
    return workspace_->sums ? &*workspace_->sums : nullptr;
}
void Transformer::assign_work() {
    workspace_->assign_work();
}

} // namespace pillar::forward
