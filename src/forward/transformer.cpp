#include "pillar/forward/transformer.hpp"

#include "forward_state.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/hash.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::forward {

Transformer::Transformer(const gguf::File& file, const model::Hyperparameters& h,
                         const partition::Share& share, const kernels::Family& family,
                         const TransformerOptions& options, threads::Team& team,
                         model::LoadProgress progress)
    : state_(std::make_unique<State>(file, h, share, family, options, team, progress)) {}

Transformer::~Transformer() = default;

namespace {

/// Embedding rows of some of the step's rows, straight from the file. A failure leaves zeros and is
/// told later: the step must end on all ranks alike.
void embed(Transformer::State& s, threads::Worker worker, std::span<const Row> rows,
           Range mine) noexcept {
    if (mine.begin == mine.end) return;
    const gguf::TensorInfo& table = *s.weights.embedding;
    auto& raw = s.embedding_rows[static_cast<std::size_t>(worker.index())];
    const auto x = [&](std::size_t r) { return s.buffers.x.span().subspan(r * s.h.dim, s.h.dim); };
    try {
        for (std::size_t r = mine.begin; r < mine.end; ++r) {
            s.look_at_messages(worker);
            s.file.read(table, static_cast<std::uint64_t>(rows[r].token) * raw.size(), raw);
            quant::decode_row(static_cast<quant::Type>(table.type->number), raw, x(r));
        }
        s.file.expect_unchanged(table); // afterwards: what was read is what was opened
    } catch (const std::exception& failure) {
        for (std::size_t r = mine.begin; r < mine.end; ++r) std::ranges::fill(x(r), 0.0f);
        if (!s.embedding_failed.exchange(true)) s.error = failure.what();
    }
}

void rotation_angles(Transformer::State& s, std::span<const Row> rows, Range mine) noexcept {
    const std::size_t n_pairs = s.rope.n_pairs();
    for (std::size_t r = mine.begin; r < mine.end; ++r)
        s.rope.angles(rows[r].position, s.buffers.cosine.span().subspan(r * n_pairs, n_pairs),
                      s.buffers.sine.span().subspan(r * n_pairs, n_pairs));
}

} // namespace

std::span<const float> Transformer::forward(comm::Communicator& comm, std::span<const Row> rows) {
    State& s = *state_;
    expects(rows.size() <= s.options.max_rows, "a step has more rows than buffers");
    std::size_t n_wanted = 0;
    for (const Row& row : rows) {
        expects(row.token >= 0 && static_cast<std::size_t>(row.token) < s.h.vocab_size,
                "a token is out of range");
        expects(s.cache.reserve(row.sequence, row.position), "the KV cache has no page left");
        n_wanted += row.want_logits ? 1 : 0;
    }
    expects(n_wanted <= s.options.max_logit_rows,
            "a step wants more logits than there is room for");

    const std::size_t n_first = first_half(rows.size(), s.share.n_ranks);
    const bool in_halves = n_first < rows.size();
    s.halves[0].set_rows(rows, 0, n_first);
    if (in_halves) s.halves[1].set_rows(rows, n_first, rows.size());
    const auto prepare = [&](threads::Worker worker, Range mine) {
        embed(s, worker, rows, mine);
        rotation_angles(s, rows, mine);
    };
    s.comm = comm.size() > 1 ? &comm : nullptr;
    comm.set_allreduces_a_layer(allreduces_a_layer(rows.size(), s.share.n_ranks));
    const auto compute = [&](threads::Worker worker) {
        for (Half& half : std::span(s.halves).first(in_halves ? 2 : 1))
            start_layers(s, worker, half, [&](Range mine) { prepare(worker, mine); });
        if (in_halves) compute_halves(s, worker, comm);
        for (std::size_t layer = 0; layer < s.h.n_layers && !in_halves; ++layer)
            compute_layer(s, worker, comm, layer, s.halves[0]);
        if (n_wanted > 0) output_logits(s, worker, rows);
    };
    s.team.run(compute, [&] { s.look_at_messages(); });
    s.embedding_bytes += rows.size() * s.embedding_rows[0].size();
    s.residual_hash = hash_of(std::span<const float>(s.buffers.x.data(), rows.size() * s.h.dim));
    return s.buffers.logits.span().first(n_wanted * s.share.vocabulary.size());
}

void Transformer::truncate(std::int32_t sequence, std::int32_t n_positions) noexcept {
    state_->cache.truncate(sequence, n_positions);
}
std::size_t Transformer::free_pages() const noexcept {
    return state_->cache.free_pages();
}
std::uint64_t Transformer::residual_hash() const noexcept {
    return state_->residual_hash;
}

std::string Transformer::take_error() {
    state_->embedding_failed.store(false);
    return std::exchange(state_->error, {});
}

const model::Hyperparameters& Transformer::hyperparameters() const noexcept {
    return state_->h;
}
const partition::Share& Transformer::share() const noexcept {
    return state_->share;
}
const TransformerOptions& Transformer::options() const noexcept {
    return state_->options;
}
const model::LoadBytes& Transformer::load_bytes() const noexcept {
    return state_->load_bytes;
}
std::uint64_t Transformer::embedding_bytes_read() const noexcept {
    return state_->embedding_bytes;
}
std::uint64_t Transformer::weight_bytes_per_step() const noexcept {
    return state_->plan.packed_bytes;
}
std::uint64_t Transformer::n_parameters() const noexcept {
    return state_->plan.n_parameters;
}

} // namespace pillar::forward
