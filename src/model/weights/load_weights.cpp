// Reads this rank's slices with pread and packs them, all threads side by side: a thread takes a
// run of row groups, reads their file bytes into its own scratch and packs them where it will read
// them. No second copy of the model exists at any time.

#include "pillar/core/errors.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/model/weights.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <fmt/core.h>

namespace pillar::model {

namespace {

constexpr std::size_t read_size =
    256 * 1024; ///< bytes a thread reads at a time where rows lie together

/// The part of a small tensor that is wanted, as f32; the whole of it is read.
std::vector<float> read_vector(const gguf::File& file, const VectorPlan& plan, LoadBytes& bytes) {
    const gguf::TensorInfo& tensor = *plan.tensor;
    std::vector<std::byte> raw(tensor.size_bytes);
    file.read(tensor, 0, raw);
    bytes.vectors += raw.size();
    std::vector<float> values(tensor.n_elements());
    quant::decode_row(static_cast<quant::Type>(tensor.type->number), raw, values);
    const std::size_t n = plan.wanted.size(), stride = values.size() / plan.n_vectors;
    std::vector<float> wanted(plan.n_vectors * n);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const std::size_t at = i / n * stride + plan.wanted.begin + i % n;
        wanted[i] =
            values[plan.head_dim == 0 ? at : half_pair_row(at, plan.head_dim, plan.rotary_dims)];
    }
    return wanted;
}

/// What one thread needs to read and pack groups of any matrix of the plan.
struct Scratch {
    std::vector<std::byte> bytes;
    std::vector<const std::byte*> rows;
};

/// The matrices that one of the plan is packed as: itself, or one for each of its slices.
using Parts = std::span<kernels::Matrix>;

/// Reads groups [begin, end) of one matrix and packs them.
class GroupLoader {
  public:
    GroupLoader(const gguf::File& file, const MatrixPlan& plan, Parts parts, bool check)
        : file_(file), plan_(plan), parts_(parts), check_(check),
          rows_per_group_(parts.front().family().rows_per_group(plan.shape.type)),
          blocks_(plan.shape.file_blocks()),
          piece_bytes_(blocks_.count * plan.tensor->type->block_bytes),
          row_bytes_(plan.tensor->row_bytes()) {}

    [[nodiscard]] std::size_t groups_per_read() const {
        const std::size_t group = std::max<std::size_t>(1, rows_per_group_ * piece_bytes_);
        return std::max<std::size_t>(1, read_size / group);
    }

    /// `noted` is called after each piece.
    void load(Range groups, Scratch& scratch, std::atomic<std::uint64_t>& done,
              FunctionRef<void()> noted) {
        if (piece_bytes_ == 0) return; // nothing but empty slices
        const std::size_t step = groups_per_read();
        scratch.bytes.resize(std::max(scratch.bytes.size(), step * rows_per_group_ * piece_bytes_));
        scratch.rows.resize(std::max(scratch.rows.size(), rows_per_group_));
        for (std::size_t g = groups.begin; g < groups.end; g += step) {
            const std::size_t last = std::min(g + step, groups.end);
            const std::size_t first_row = g * rows_per_group_;
            const std::size_t n_rows =
                std::min(last * rows_per_group_, plan_.shape.n_rows) - first_row;
            read_rows(first_row, n_rows, scratch.bytes.data());
            if (check_) expect_finite(first_row, n_rows, scratch.bytes.data());
            for (std::size_t group = g; group < last; ++group) pack(group, first_row, scratch);
            done.fetch_add(n_rows * piece_bytes_, std::memory_order_relaxed);
            noted();
        }
    }

  private:
    void read_rows(std::size_t first_row, std::size_t n_rows, std::byte* out) const {
        const std::uint64_t first_byte = blocks_.first * plan_.tensor->type->block_bytes;
        if (piece_bytes_ == row_bytes_ && plan_.head_dim == 0) { // whole rows lie together
            const std::uint64_t begin = plan_.tensor_row(first_row) * row_bytes_;
            file_.read(*plan_.tensor, begin, {out, n_rows * piece_bytes_});
            return;
        }
        for (std::size_t r = 0; r < n_rows; ++r)
            file_.read(*plan_.tensor, plan_.tensor_row(first_row + r) * row_bytes_ + first_byte,
                       {out + r * piece_bytes_, piece_bytes_});
    }

    /// Decodes the pieces just read; a weight that is no finite number is told with its block's
    /// place.
    void expect_finite(std::size_t first_row, std::size_t n_rows, const std::byte* pieces) const {
        const quant::TypeInfo& type = *plan_.tensor->type;
        float weights[256];
        for (std::size_t block = 0; block < n_rows * blocks_.count; ++block) {
            type.decode(pieces + block * type.block_bytes, weights);
            if (std::all_of(weights, weights + type.block_weights,
                            [](float w) { return std::isfinite(w); }))
                continue;
            const std::size_t row = plan_.tensor_row(first_row + block / blocks_.count);
            const std::uint64_t offset =
                row * row_bytes_ + (blocks_.first + block % blocks_.count) * type.block_bytes;
            throw FormatError(
                file_.path(), fmt::format("tensor \"{}\"", printable(plan_.tensor->name)),
                plan_.tensor->offset + offset,
                "a weight is infinite or not a number; the file is damaged, download it again");
        }
    }

    void pack(std::size_t group, std::size_t first_row, Scratch& scratch) {
        for (kernels::Matrix& part : parts_) {
            const kernels::MatrixShape::FileBlocks blocks = part.shape().file_blocks();
            if (blocks.count == 0) continue;
            const std::size_t offset =
                (blocks.first - blocks_.first) * plan_.tensor->type->block_bytes;
            for (std::size_t r = 0; r < rows_per_group_; ++r) {
                const std::size_t row = group * rows_per_group_ + r;
                scratch.rows[r] =
                    row < plan_.shape.n_rows
                        ? scratch.bytes.data() + (row - first_row) * piece_bytes_ + offset
                        : nullptr;
            }
            part.pack_group(group, {scratch.rows.data(), rows_per_group_});
        }
    }

    const gguf::File& file_;
    const MatrixPlan& plan_;
    Parts parts_;
    bool check_;
    std::size_t rows_per_group_;
    kernels::MatrixShape::FileBlocks blocks_;
    std::size_t piece_bytes_; ///< bytes of one row that this rank reads
    std::size_t row_bytes_;
};

/// Where a matrix of the plan goes.
Parts parts_of(Weights& weights, const MatrixPlan& plan) {
    if (plan.role == Role::output) return {&weights.output, 1};
    LayerWeights& layer = weights.layers[plan.layer];
    if (plan.role == Role::expert_gate) return {&layer.experts[plan.expert].gate, 1};
    if (plan.role == Role::expert_up) return {&layer.experts[plan.expert].up, 1};
    if (plan.role == Role::expert_down) {
        std::vector<kernels::Matrix>& slices = layer.experts[plan.expert].down;
        slices.resize(plan.shape.slices.size());
        return slices;
    }
    const auto member = layer_matrix(plan.role);
    expects(member != nullptr, "the weights have a place for every matrix of the plan");
    return {&(layer.*member), 1};
}
std::vector<float>& vector_of(Weights& weights, const VectorPlan& plan) {
    if (plan.role == Role::final_norm) return weights.final_norm;
    using enum Role;
    if (plan.role == rope_factors || plan.role == rope_factors_long ||
        plan.role == rope_factors_short)
        return weights.rope_factors;
    const auto member = layer_vector(plan.role);
    expects(member != nullptr, "the weights have a place for every vector of the plan");
    return weights.layers[plan.layer].*member;
}

/// All matrices by all threads; the first failure is thrown when the team is done. Returns the
/// bytes asked for.
std::uint64_t load_matrices(const gguf::File& file, const WeightPlan& plan,
                            std::span<const Parts> matrices, threads::Team& team, bool check,
                            LoadProgress progress) {
    std::atomic<std::uint64_t> done{0};
    std::atomic<bool> failed{false};
    std::vector<std::exception_ptr> failures(static_cast<std::size_t>(team.size()));
    team.run([&](threads::Worker worker) {
        Scratch scratch;
        try {
            for (std::size_t m = 0; m < matrices.size() && !failed.load(std::memory_order_relaxed);
                 ++m) {
                GroupLoader loader(file, plan.matrices[m], matrices[m], check);
                loader.load(worker.share(matrices[m].front().n_groups()), scratch, done, [&] {
                    if (worker.is_main()) progress(done.load(std::memory_order_relaxed));
                });
            }
        } catch (...) {
            failures[static_cast<std::size_t>(worker.index())] = std::current_exception();
            failed.store(true, std::memory_order_relaxed);
        }
    });
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
    progress(done.load());
    return done.load();
}

} // namespace

Weights load_weights(const gguf::File& file, const Hyperparameters& h,
                     const kernels::Family& family, const WeightPlan& plan, threads::Team& team,
                     bool check, LoadProgress progress, LoadBytes& bytes) {
    Weights weights;
    weights.layers.resize(h.n_layers);
    for (LayerWeights& layer : weights.layers) layer.experts.resize(h.n_experts);
    weights.embedding = plan.embedding;
    for (const VectorPlan& vector : plan.vectors)
        vector_of(weights, vector) = read_vector(file, vector, bytes);
    weights.packed = AlignedBuffer<std::byte>(plan.packed_bytes);
    std::vector<Parts> matrices;
    std::size_t offset = 0;
    for (const MatrixPlan& matrix : plan.matrices) {
        const Parts parts = parts_of(weights, matrix);
        const std::vector<kernels::MatrixShape> shapes = matrix.parts();
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const std::size_t size = kernels::Matrix::packed_bytes(family, shapes[i]);
            parts[i] =
                kernels::Matrix(family, shapes[i], weights.packed.span().subspan(offset, size));
            offset += size;
        }
        matrices.push_back(parts);
    }
    bytes.matrices = load_matrices(file, plan, matrices, team, check, progress);
    file.expect_unchanged();
    weights.packed.collapse_to_huge_pages();
    return weights;
}

} // namespace pillar::model
