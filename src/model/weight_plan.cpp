// Which tensors a model must have, in which shape, and which slice of each this rank holds.

#include "pillar/model/weights.hpp"

#include "slices.hpp"

#include "pillar/kernels/family.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pillar::model {

namespace {

std::string supported_types() {
    std::string names;
    for (const quant::Type type : quant::all_types) {
        if (!names.empty()) names += ", ";
        names += quant::info(type).name;
    }
    return names;
}

const gguf::TensorInfo& find_matrix(const gguf::File& file, const std::string& name,
                                    std::size_t n_rows, std::size_t n_columns) {
    const gguf::TensorInfo* tensor = file.find_tensor(name);
    if (tensor == nullptr) throw file.error(name, "the tensor is missing");
    if (tensor->shape.size() > 2 || tensor->n_columns() != n_columns || tensor->n_rows() != n_rows)
        throw file.error(name, fmt::format("shape {} where the metadata ask for [{}, {}]",
                                           fmt::format("[{}]", fmt::join(tensor->shape, ", ")),
                                           n_columns, n_rows));
    if (tensor->type->decode == nullptr)
        throw file.error(name, fmt::format("type {} is not supported; supported are: {}",
                                           tensor->type->name, supported_types()));
    return *tensor;
}

std::vector<kernels::Slice> whole(std::size_t n_columns) {
    return {{0, n_columns}};
}

class Planner {
  public:
    Planner(const gguf::File& file, const Hyperparameters& h, const partition::Share& share,
            const kernels::Family& family)
        : file_(file), h_(h), share_(share), family_(family) {}

    WeightPlan plan() {
        for (std::size_t layer = 0; layer < h_.n_layers; ++layer) plan_layer(layer);
        plan_output();
        for (const gguf::TensorInfo& tensor : file_.tensors())
            plan_.n_parameters += tensor.n_elements();
        return std::move(plan_);
    }

  private:
    void plan_layer(std::size_t layer) {
        const auto name = [&](std::string_view tensor) {
            return fmt::format("blk.{}.{}.weight", layer, tensor);
        };
        const std::size_t q_dim = h_.n_heads * h_.head_dim;
        const std::size_t kv_dim = h_.n_kv_heads * h_.head_dim;
        const auto rows_of = [&](partition::Range heads) {
            return partition::Range{heads.begin * h_.head_dim, heads.end * h_.head_dim};
        };
        const auto every_column = whole(h_.dim);
        add(name("attn_q"), q_dim, h_.dim, rows_of(share_.heads), every_column,
            &LayerWeights::query, layer);
        add(name("attn_k"), kv_dim, h_.dim, rows_of(share_.kv_heads), every_column,
            &LayerWeights::key, layer);
        add(name("attn_v"), kv_dim, h_.dim, rows_of(share_.kv_heads), every_column,
            &LayerWeights::value, layer);
        add(name("attn_output"), h_.dim, q_dim, {0, h_.dim}, head_slices(share_, h_.head_dim),
            &LayerWeights::output, layer);
        add(name("ffn_gate"), h_.hidden_dim, h_.dim, share_.hidden, every_column,
            &LayerWeights::gate, layer);
        add(name("ffn_up"), h_.hidden_dim, h_.dim, share_.hidden, every_column, &LayerWeights::up,
            layer);
        add(name("ffn_down"), h_.dim, h_.hidden_dim, {0, h_.dim}, hidden_slices(share_),
            &LayerWeights::down, layer);
    }

    void plan_output() {
        // Without a matrix of its own the model's output is tied to its embedding.
        const bool tied = file_.find_tensor("output.weight") == nullptr;
        find_matrix(file_, "token_embd.weight", h_.vocab_size, h_.dim);
        add(tied ? "token_embd.weight" : "output.weight", h_.vocab_size, h_.dim, share_.vocabulary,
            whole(h_.dim), nullptr, h_.n_layers);
    }

    void add(const std::string& name, std::size_t n_rows, std::size_t n_columns,
             partition::Range rows, std::vector<kernels::Slice> slices,
             kernels::Matrix LayerWeights::*member, std::size_t layer) {
        const gguf::TensorInfo& tensor = find_matrix(file_, name, n_rows, n_columns);
        MatrixPlan matrix;
        matrix.tensor = &tensor;
        matrix.shape.type = static_cast<quant::Type>(tensor.type->number);
        matrix.shape.n_rows = rows.size();
        matrix.shape.n_columns = n_columns;
        matrix.shape.slices = std::move(slices);
        matrix.first_row = rows.begin;
        matrix.member = member;
        matrix.layer = layer;
        plan_.packed_bytes += kernels::Matrix::packed_bytes(family_, matrix.shape);
        plan_.read_bytes +=
            rows.size() * matrix.shape.file_blocks().count * tensor.type->block_bytes;
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
