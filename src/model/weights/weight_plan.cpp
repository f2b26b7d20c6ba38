// Which slice of each tensor of the architecture's list this rank holds, and what that takes.

#include "pillar/kernels/family.hpp"
#include "pillar/model/slices.hpp"
#include "pillar/model/tensors.hpp"
#include "pillar/model/weights.hpp"

namespace pillar::model {

namespace {

struct LayerMatrix {
    std::string_view name;
    kernels::Matrix LayerWeights::*member;
};
constexpr LayerMatrix layer_matrices[] = {
    {"attn_q.weight", &LayerWeights::query},  {"attn_k.weight", &LayerWeights::key},
    {"attn_v.weight", &LayerWeights::value},  {"attn_output.weight", &LayerWeights::output},
    {"ffn_gate.weight", &LayerWeights::gate}, {"ffn_up.weight", &LayerWeights::up},
    {"ffn_down.weight", &LayerWeights::down},
};

struct LayerVector {
    std::string_view name;
    std::vector<float> LayerWeights::*member;
};
constexpr LayerVector layer_vectors[] = {
    {"attn_norm.weight", &LayerWeights::attention_norm},
    {"ffn_norm.weight", &LayerWeights::feed_forward_norm},
    {"attn_q.bias", &LayerWeights::query_bias},
    {"attn_k.bias", &LayerWeights::key_bias},
    {"attn_v.bias", &LayerWeights::value_bias},
    {"attn_output.bias", &LayerWeights::output_bias},
    {"ffn_gate.bias", &LayerWeights::gate_bias},
    {"ffn_up.bias", &LayerWeights::up_bias},
    {"ffn_down.bias", &LayerWeights::down_bias},
};

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
    case Extent::one:
    case Extent::dim:
    case Extent::rope_pairs:
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
        add_vector("output_norm.weight", {}, {.of_model = &Weights::final_norm});
        add_vector("rope_freqs.weight", {}, {.of_model = &Weights::rope_factors});
        for (std::size_t layer = 0; layer < h_.n_layers; ++layer) {
            for (const LayerMatrix& matrix : layer_matrices)
                add_matrix(matrix.name, layer, matrix.member);
            for (const LayerVector& vector : layer_vectors)
                add_vector(vector.name, layer, {.of_layer = vector.member});
        }
        plan_embedding();
        for (const gguf::TensorInfo& tensor : file_.tensors())
            plan_.n_parameters += tensor.n_elements();
        return std::move(plan_);
    }

  private:
    void plan_embedding() {
        plan_.embedding = find_tensor(file_, h_, rule_of(h_, "token_embd.weight", false), {});
        // Without a matrix of its own the model's output is tied to its embedding.
        const bool tied = file_.find_tensor("output.weight") == nullptr;
        add_matrix(tied ? "token_embd.weight" : "output.weight", {}, nullptr);
    }

    void add_vector(std::string_view name, std::optional<std::size_t> layer,
                    VectorPlan::Member member) {
        const TensorRule& rule = rule_of(h_, name, layer.has_value());
        const gguf::TensorInfo* tensor = find_tensor(file_, h_, rule, layer);
        if (tensor == nullptr) return;
        VectorPlan vector;
        vector.tensor = tensor;
        vector.wanted = own_part(rule.columns, h_, share_);
        vector.member = member;
        vector.layer = layer.value_or(h_.n_layers);
        plan_.vector_bytes += vector.wanted.size() * sizeof(float);
        plan_.vectors.push_back(vector);
    }

    void add_matrix(std::string_view name, std::optional<std::size_t> layer,
                    kernels::Matrix LayerWeights::*member) {
        const TensorRule& rule = rule_of(h_, name, layer.has_value());
        const gguf::TensorInfo* tensor = find_tensor(file_, h_, rule, layer);
        expects(tensor != nullptr, "no matrix of the plan may be missing");
        const Range rows = own_part(rule.rows, h_, share_);
        MatrixPlan matrix;
        matrix.tensor = tensor;
        matrix.shape.type = static_cast<quant::Type>(tensor->type->number);
        matrix.shape.n_rows = rows.size();
        matrix.shape.n_columns = length_of(rule.columns, h_);
        matrix.shape.slices = own_columns(rule.columns, h_, share_);
        matrix.first_row = rows.begin;
        matrix.member = member;
        matrix.layer = layer.value_or(h_.n_layers);
        plan_.packed_bytes += kernels::Matrix::packed_bytes(family_, matrix.shape);
        plan_.read_bytes +=
            rows.size() * matrix.shape.file_blocks().count * tensor->type->block_bytes;
        plan_.matrices.push_back(std::move(matrix));
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
