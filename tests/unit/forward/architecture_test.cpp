// A second architecture that stands in this file alone: its list of tensors and its layers' spec
// are all that loading, planning, costs, synthetic models and the layers' code need to know. The
// truth is llama, whose model it is under other names.

#include "pillar/model/architecture.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/synthetic/synthetic.hpp"
#include "support/models/model_files.hpp"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <map>

namespace pillar::forward {
namespace {

using namespace model;
using support::GgufBuilder;
using support::ModelFile;
using support::OneRank;
using support::TinyModel;
using enum Presence;

constexpr TensorSpec model_tensors[] = {
    {Role::output, "head.weight", optional, Extent::dim, Extent::vocabulary},
    {Role::final_norm, "last_norm.weight", required, Extent::dim},
    {Role::embedding, "words.weight", required, Extent::dim, Extent::vocabulary},
};
constexpr TensorSpec layer_tensors[] = {
    {Role::feed_forward_norm, "mlp_norm.weight", required, Extent::dim},
    {Role::down, "mlp_down.weight", required, Extent::hidden, Extent::dim},
    {Role::gate, "mlp_gate.weight", required, Extent::dim, Extent::hidden},
    {Role::up, "mlp_up.weight", required, Extent::dim, Extent::hidden},
    {Role::attention_output, "self_o.weight", required, Extent::queries, Extent::dim},
    {Role::value, "self_v.weight", required, Extent::dim, Extent::keys},
    {Role::key, "self_k.weight", required, Extent::dim, Extent::keys},
    {Role::query, "self_q.weight", required, Extent::dim, Extent::queries},
    {Role::attention_norm, "self_norm.weight", required, Extent::dim},
    {Role::ignored, "comment", optional},
};
const std::map<std::string, std::string> names = {
    {"output.weight", "head.weight"},       {"output_norm.weight", "last_norm.weight"},
    {"token_embd.weight", "words.weight"},  {"ffn_norm.weight", "mlp_norm.weight"},
    {"ffn_down.weight", "mlp_down.weight"}, {"ffn_gate.weight", "mlp_gate.weight"},
    {"ffn_up.weight", "mlp_up.weight"},     {"attn_output.weight", "self_o.weight"},
    {"attn_v.weight", "self_v.weight"},     {"attn_k.weight", "self_k.weight"},
    {"attn_q.weight", "self_q.weight"},     {"attn_norm.weight", "self_norm.weight"},
};

void read_nothing(const gguf::File& /*file*/, Hyperparameters& /*h*/) {}
LayerSpec plain_layer(const Hyperparameters& h, std::size_t /*layer*/) {
    return {.attention_scale =
                static_cast<float>(1.0 / std::sqrt(static_cast<double>(h.head_dim)))};
}
const Architecture renamed{"renamed", read_nothing, plain_layer, model_tensors, layer_tensors};

/// The model under the names of `renamed`: keys and tensors.
GgufBuilder renamed_model(const TinyModel& options) {
    GgufBuilder builder = support::build_tiny_model(options);
    for (support::RawPair& pair : builder.pairs)
        if (pair.key.starts_with("llama.")) pair.key = "renamed." + pair.key.substr(6);
    builder.set("general.architecture", "renamed");
    for (support::RawTensor& tensor : builder.tensors) {
        const bool in_layer = tensor.name.starts_with("blk.");
        const std::size_t begin = in_layer ? tensor.name.find('.', 4) + 1 : 0;
        tensor.name = tensor.name.substr(0, begin) + names.at(tensor.name.substr(begin));
    }
    return builder;
}

ModelFile open(const GgufBuilder& builder, const Architecture& architecture) {
    const Architecture* const known[] = {&architecture};
    return ModelFile(builder, known);
}

std::vector<float> logits_of(const ModelFile& model) {
    TransformerOptions options;
    options.n_context = 64;
    OneRank rank(model, options, 2);
    std::vector<Row> rows;
    for (std::int32_t p = 0; p < 20; ++p) rows.push_back({3 + 17 * p, p, 0, p == 19});
    const std::span<const float> logits = rank.transformer().forward(rank.comm(), rows);
    return {logits.begin(), logits.end()};
}

TEST(architecture, is_computed_by_its_list_of_tensors) {
    for (const bool tied : {true, false})
        for (const quant::Type type : {quant::Type::q4_0, quant::Type::f16}) {
            const TinyModel options{.type = type, .tied = tied};
            const ModelFile llama(options), other = open(renamed_model(options), renamed);
            EXPECT_EQ(other.h().architecture, &renamed);
            EXPECT_EQ(check_tensors(other.file(), other.h()), "");
            EXPECT_EQ(logits_of(other), logits_of(llama));
        }
}

TEST(architecture, is_planned_by_its_list_of_tensors) {
    const TinyModel options{.dim = 128, .ffn = 320};
    const ModelFile llama(options), other = open(renamed_model(options), renamed);
    const auto& family = *kernels::find_family("integer");
    for (const int rank : {0, 1, 2}) {
        const auto share = partition::even_share(llama.h().sizes(), rank, 3);
        const WeightPlan wanted = plan_weights(llama.file(), llama.h(), share, family);
        const WeightPlan plan = plan_weights(other.file(), other.h(), share, family);
        EXPECT_EQ(plan.packed_bytes, wanted.packed_bytes);
        EXPECT_EQ(plan.read_bytes, wanted.read_bytes);
        EXPECT_EQ(plan.n_parameters, wanted.n_parameters);
        const auto need = [&](const ModelFile& model) {
            return memory_need(model.file(), model.h(), share, family, {}, 2).total();
        };
        EXPECT_EQ(need(other), need(llama));
        const auto cost = [&](const ModelFile& model, const WeightPlan& its) {
            return step_cost(its, model.h(), share, family, kernels::CacheType::f16);
        };
        EXPECT_EQ(cost(other, plan).heads_bytes, cost(llama, wanted).heads_bytes);
        EXPECT_EQ(cost(other, plan).layer_macs, cost(llama, wanted).layer_macs);
        EXPECT_EQ(cost(other, plan).output_macs, cost(llama, wanted).output_macs);
    }
}

TEST(architecture, refuses_what_is_not_on_its_list) {
    const auto sentence = [](const GgufBuilder& builder) -> std::string {
        try {
            const ModelFile model = open(builder, renamed);
            return check_tensors(model.file(), model.h());
        } catch (const FormatError& error) {
            return error.what();
        }
    };
    GgufBuilder builder = renamed_model({});
    builder.tensor("blk.1.self_q.weight").name = "blk.1.attn_q.weight"; // llama's
    EXPECT_NE(sentence(builder).find("blk.1.self_q.weight"), std::string::npos);
    builder = renamed_model({});
    builder.tensors.push_back(builder.tensor("blk.1.self_norm.weight"));
    builder.tensors.back().name = "blk.1.post_norm.weight";
    EXPECT_NE(sentence(builder).find("blk.1.post_norm.weight"), std::string::npos);
    builder.tensors.back().name = "blk.1.comment";
    EXPECT_NE(sentence(builder).find("not used"), std::string::npos);
    builder = renamed_model({});
    builder.tensor("words.weight").name = "token_embd.weight";
    EXPECT_NE(sentence(builder).find("words.weight"), std::string::npos);
    EXPECT_NE(sentence(support::build_tiny_model({})).find("supported are: renamed"),
              std::string::npos);
}

TEST(architecture, has_synthetic_models_by_its_list) {
    const synthetic::Shape shape{.name = "smallest",
                                 .title = "Smallest",
                                 .dim = 64,
                                 .n_layers = 2,
                                 .n_heads = 4,
                                 .n_kv_heads = 2,
                                 .head_dim = 16,
                                 .hidden_dim = 160,
                                 .vocab_size = 400,
                                 .tied = true,
                                 .context_length = 64};
    const gguf::File model = synthetic::synthetic_model(shape, quant::Mix::q8_0, renamed);
    const Architecture* const known[] = {&renamed};
    const Hyperparameters h = read_hyperparameters(model, known);
    EXPECT_EQ(check_tensors(model, h), "");
    EXPECT_EQ(model.tensors().size(), 2u + 2 * 9); // tied; no comment
    EXPECT_EQ(h.n_kv_heads, 2u);
}

/// Twice the queries, half the scale: powers of two change no rounding.
TEST(layer_spec, attention_scale_multiplies_the_scores) {
    static constexpr auto half_scale = [](const Hyperparameters& h, std::size_t layer) {
        LayerSpec spec = plain_layer(h, layer);
        spec.attention_scale /= 2;
        return spec;
    };
    const Architecture halved{"renamed", read_nothing, half_scale, model_tensors, layer_tensors};
    const TinyModel options{.type = quant::Type::f32};
    GgufBuilder builder = renamed_model(options);
    const std::vector<float> expected = logits_of(open(builder, renamed));
    EXPECT_NE(logits_of(open(builder, halved)), expected);
    for (const char* name : {"blk.0.self_q.weight", "blk.1.self_q.weight"}) {
        std::string& data = builder.tensor(name).data;
        for (std::size_t i = 0; i < data.size(); i += sizeof(float)) {
            float weight;
            std::memcpy(&weight, &data[i], sizeof weight);
            weight *= 2;
            std::memcpy(&data[i], &weight, sizeof weight);
        }
    }
    EXPECT_EQ(logits_of(open(builder, halved)), expected);
}

/// With one head its norm and that of all heads are the same numbers.
TEST(layer_spec, joint_head_norm_goes_over_all_heads) {
    const auto with_norms = [](std::uint32_t n_heads, std::size_t n_weights) {
        GgufBuilder builder = renamed_model(
            {.dim = 32, .n_heads = n_heads, .n_kv_heads = n_heads, .type = quant::Type::f32});
        for (const char* name : {"blk.0.q_norm", "blk.0.k_norm", "blk.1.q_norm", "blk.1.k_norm"}) {
            builder.tensors.push_back(builder.tensor("last_norm.weight"));
            builder.tensors.back().name = name;
            builder.tensors.back().shape = {n_weights};
            builder.tensors.back().data.resize(n_weights * sizeof(float));
        }
        return builder;
    };
    static constexpr auto joint_layer = [](const Hyperparameters& h, std::size_t layer) {
        LayerSpec spec = plain_layer(h, layer);
        spec.head_norm = HeadNorm::joint;
        return spec;
    };
    const auto tensors = [](Extent queries, Extent keys) {
        std::vector<TensorSpec> all(std::begin(layer_tensors), std::end(layer_tensors));
        all.push_back({Role::query_norm, "q_norm", required, queries});
        all.push_back({Role::key_norm, "k_norm", required, keys});
        return all;
    };
    const auto of_each = tensors(Extent::head, Extent::head);
    const auto of_all = tensors(Extent::queries, Extent::keys);
    const Architecture each{"renamed", read_nothing, plain_layer, model_tensors, of_each};
    const Architecture joint{"renamed", read_nothing, joint_layer, model_tensors, of_all};
    EXPECT_EQ(logits_of(open(with_norms(1, 32), joint)), logits_of(open(with_norms(1, 32), each)));
    EXPECT_NE(logits_of(open(with_norms(2, 32), joint)), logits_of(open(with_norms(2, 16), each)));
}

/// A second table with another base, of the second layer or of both.
TEST(layer_spec, rope_is_the_table_of_the_layer) {
    static constexpr auto add_table = [](const gguf::File& /*file*/, Hyperparameters& h) {
        h.ropes.push_back(h.ropes[0]);
        h.ropes[1].base = 500;
    };
    static constexpr auto with_second = [](const Hyperparameters& h, std::size_t layer) {
        LayerSpec spec = plain_layer(h, layer);
        spec.rope = 1;
        return spec;
    };
    static constexpr auto with_both = [](const Hyperparameters& h, std::size_t layer) {
        LayerSpec spec = plain_layer(h, layer);
        spec.rope = layer;
        return spec;
    };
    const Architecture second{"renamed", add_table, with_second, model_tensors, layer_tensors};
    const Architecture both{"renamed", add_table, with_both, model_tensors, layer_tensors};
    const GgufBuilder builder = renamed_model({});
    const std::vector<float> of_first = logits_of(ModelFile(TinyModel{}));
    const std::vector<float> of_second = logits_of(ModelFile(TinyModel{.rope_base = 500}));
    ASSERT_NE(of_first, of_second);
    EXPECT_EQ(logits_of(open(builder, second)), of_second);
    const std::vector<float> mixed = logits_of(open(builder, both));
    EXPECT_NE(mixed, of_first);
    EXPECT_NE(mixed, of_second);
}

} // namespace
} // namespace pillar::forward
