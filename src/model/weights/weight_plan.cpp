// Which slice of each tensor of the architecture's list this rank holds, and what that takes.

#include "pillar/kernels/family.hpp"
#include "pillar/model/architecture.hpp"
#include "pillar/model/slices.hpp"
#include "pillar/model/weights.hpp"

namespace pillar::model {

namespace {

/// Rows of a matrix, or elements of a vector, that the rank owns.
Range own_part(Extent extent, const Hyperparameters& h, const partition::Share& share) {
    const auto rows_of = [&](Range heads) {
        return Range{heads.begin * h.head_dim, heads.end * h.head_dim};
    };
    switch (extent) {
    case Extent::queries:
        return rows_of(share.heads);
    case Extent::keys:
        return rows_of(share.kv_heads);
    case Extent::hidden:
        return share.hidden;
    case Extent::vocabulary:
        return share.vocabulary;
    case Extent::heads:
        return share.heads;
    case Extent::one:
    case Extent::dim:
    case Extent::head:
    case Extent::rope_pairs:
    case Extent::experts:
        break;
    }
    return {0, length_of(extent, h)};
}

std::vector<kernels::Slice> own_columns(Extent extent, const Hyperparameters& h,
                                        const partition::Share& share) {
    if (extent == Extent::queries) return head_slices(share, h.head_dim);
    if (extent == Extent::hidden) return hidden_slices(share);
    return {{0, length_of(extent, h)}};
}

class Planner {
  public:
    Planner(const gguf::File& file, const Hyperparameters& h, const partition::Share& share,
            const kernels::Family& family)
        : file_(file), h_(h), share_(share), family_(family) {}

    WeightPlan plan() {
        const Architecture& architecture = *h_.architecture;
        plan_.embedding = find_tensor(file_, h_, embedding_of(architecture), {});
        for (std::size_t layer = 0; layer < h_.n_layers; ++layer)
            for (const TensorSpec& spec : architecture.layer_tensors) add(spec, layer);
        for (const TensorSpec& spec : architecture.model_tensors) add(spec, {});
        for (const gguf::TensorInfo& tensor : file_.tensors())
            plan_.n_parameters += tensor.n_elements();
        return std::move(plan_);
    }

  private:
    void add(const TensorSpec& spec, std::optional<std::size_t> layer) {
        // Rows of the embedding are read from the file on demand.
        if (spec.role == Role::ignored || spec.role == Role::embedding) return;
        const Role unused = h_.is_long_context ? Role::rope_factors_short : Role::rope_factors_long;
        if (spec.role == unused) return;
        const gguf::TensorInfo* tensor = find_tensor(file_, h_, spec, layer);
        // Without a matrix of its own the model's output is tied to its embedding.
        if (tensor == nullptr && spec.role == Role::output) tensor = plan_.embedding;
        if (tensor == nullptr) return;
        if (spec.is_vector())
            add_vector(spec, layer, *tensor);
        else
            add_matrices(spec, layer, *tensor);
    }

    void add_vector(const TensorSpec& spec, std::optional<std::size_t> layer,
                    const gguf::TensorInfo& tensor) {
        const Range wanted = own_part(spec.columns, h_, share_);
        const std::size_t n_vectors = length_of(spec.matrices, h_);
        plan_.vector_bytes += n_vectors * wanted.size() * sizeof(float);
        VectorPlan vector{spec.role, layer.value_or(0), &tensor, wanted, n_vectors};
        set_order(vector, spec);
        plan_.vectors.push_back(vector);
    }

    /// All that the tensor holds, which are alike but for their place.
    void add_matrices(const TensorSpec& spec, std::optional<std::size_t> layer,
                      const gguf::TensorInfo& tensor) {
        const Range rows = own_part(spec.rows, h_, share_);
        MatrixPlan matrix{.role = spec.role,
                          .layer = layer.value_or(0),
                          .tensor = &tensor,
                          .shape = {},
                          .base_row = first_tensor_row(spec, h_),
                          .first_row = rows.begin,
                          .is_by_slice = spec.role == Role::expert_down};
        matrix.shape.type = static_cast<quant::Type>(tensor.type->number);
        matrix.shape.n_rows = rows.size();
        matrix.shape.n_columns = length_of(spec.columns, h_);
        matrix.shape.slices = own_columns(spec.columns, h_, share_);
        set_order(matrix, spec);
        const std::size_t n_matrices = length_of(spec.matrices, h_);
        for (const kernels::MatrixShape& part : matrix.parts())
            plan_.packed_bytes += n_matrices * kernels::Matrix::packed_bytes(family_, part);
        plan_.read_bytes +=
            n_matrices * rows.size() * matrix.shape.file_blocks().count * tensor.type->block_bytes;
        for (std::size_t i = 0; i < n_matrices; ++i) {
            matrix.expert = i;
            plan_.matrices.push_back(matrix);
            matrix.base_row += length_of(spec.rows, h_);
        }
    }

    template <class Plan>
    void set_order(Plan& plan, const TensorSpec& spec) const {
        if (spec.order == RowOrder::as_in_file) return;
        plan.head_dim = h_.head_dim;
        plan.rotary_dims = h_.ropes.front().n_dims;
    }

    const gguf::File& file_;
    const Hyperparameters& h_;
    const partition::Share& share_;
    const kernels::Family& family_;
    WeightPlan plan_;
};

} // namespace

WeightPlan plan_weights(const gguf::File& file, const Hyperparameters& h,
                        const partition::Share& share, const kernels::Family& family) {
    return Planner(file, h, share, family).plan();
}

} // namespace pillar::model
