// Mixtures of experts whose numbers and tensors do not fit together.

#include "support/malformed/lists.hpp"
#include "support/models/tiny_model.hpp"

#include <fmt/format.h>

#include <utility>

namespace pillar::support {

namespace {

template <class Change>
std::function<std::string()> with(const char* architecture, Change change) {
    return [=] {
        GgufBuilder builder = build_tiny_model({.architecture = architecture,
                                                .n_layers = 1,
                                                .ffn = 64,
                                                .n_experts = 6,
                                                .n_experts_used = 2});
        change(builder);
        return builder.bytes();
    };
}

void remove_tensor(GgufBuilder& file, const std::string& name) {
    std::erase_if(file.tensors, [&](const RawTensor& tensor) { return tensor.name == name; });
}

void add_counts(CaseList& list) {
    const std::string count = ".expert_count", used = ".expert_used_count";
    for (const std::uint32_t value : {0u, 513u})
        list.add(Verdict::refuse, fmt::format("qwen3moe-of-{}-experts", value), "qwen3moe" + count,
                 "a mixture of 0 or 513 experts",
                 with("qwen3moe", [=](GgufBuilder& file) { file.set("qwen3moe" + count, value); }))
            .class_name = "expert-count";
    list.add(Verdict::refuse, "llama-of-513-experts", "llama" + count,
             "a mixture of 0 or 513 experts",
             with("llama", [=](GgufBuilder& file) { file.set("llama" + count, 513u); }))
        .class_name = "expert-count";
    for (const std::uint32_t value : {5u, 7u})
        list.add(Verdict::refuse, fmt::format("{}-experts-of-6", value),
                 "blk.0.ffn_gate_inp.weight|blk.0.ffn_gate_exps.weight",
                 "more or fewer experts than the tensors hold",
                 with("llama", [=](GgufBuilder& file) { file.set("llama" + count, value); }))
            .class_name = "expert-count-of-tensors";
    for (const std::uint32_t value : {0u, 7u})
        list.add(Verdict::refuse, fmt::format("{}-experts-used", value), "llama" + used,
                 "no experts used, or more than there are",
                 with("llama", [=](GgufBuilder& file) { file.set("llama" + used, value); }))
            .class_name = "experts-used";
    list.add(Verdict::refuse, "experts-used-of-none", "llama" + used,
             "experts used where there are none",
             with("llama", [=](GgufBuilder& file) { file.set("llama" + count, 0u); }));
    list.add(Verdict::refuse, "expert-width", "blk.0.ffn_gate_exps.weight",
             "experts of another width than their tensors", with("qwen3moe", [](GgufBuilder& file) {
                 file.set("qwen3moe.expert_feed_forward_length", 32u);
             }));
    for (const auto& [key, value] :
         {std::pair("expert_shared_count", 1u), std::pair("expert_gating_func", 2u),
          std::pair("leading_dense_block_count", 1u)})
        list.add(Verdict::refuse, fmt::format("qwen3moe.{}", key), fmt::format("qwen3moe.{}", key),
                 "shared experts, another gating function, or layers without experts",
                 with("qwen3moe",
                      [=](GgufBuilder& file) { file.set(fmt::format("qwen3moe.{}", key), value); }))
            .class_name = "other-mixture";
}

void add_tensors(CaseList& list) {
    for (const char* name : {"blk.0.ffn_gate_inp.weight", "blk.0.ffn_down_exps.weight"})
        list.add(Verdict::refuse, fmt::format("experts-without-{}", name), name,
                 "no router, or no tensor of the experts",
                 with("llama", [=](GgufBuilder& file) { remove_tensor(file, name); }))
            .class_name = "experts-missing-tensor";
    list.add(Verdict::refuse, "experts-in-two-dimensions", "blk.0.ffn_up_exps.weight",
             "the experts' rows in one dimension", with("llama", [](GgufBuilder& file) {
                 file.tensor("blk.0.ffn_up_exps.weight").shape = {64, 64 * 6};
             }));
    list.add(Verdict::refuse, "experts-cut-off", "blk.0.ffn_down_exps.weight",
             "a tensor of experts whose last one is missing", with("llama", [](GgufBuilder& file) {
                 RawTensor& tensor = file.tensor("blk.0.ffn_down_exps.weight");
                 tensor.shape[2] = 5;
                 tensor.data.resize(tensor.data.size() / 6 * 5);
             }));
    list.add(Verdict::refuse, "experts-beside-one", "blk.0.ffn_up.weight",
             "a feed-forward for every row beside experts", with("llama", [](GgufBuilder& file) {
                 const GgufBuilder dense = build_tiny_model({.n_layers = 1, .ffn = 64});
                 for (const RawTensor& tensor : dense.tensors)
                     if (tensor.name == "blk.0.ffn_up.weight") file.tensors.push_back(tensor);
             }));
    list.add(Verdict::refuse, "tensor-for-each-expert", "blk.0.ffn_gate.0.weight",
             "a tensor for each expert, as the first converters wrote",
             with("llama", [](GgufBuilder& file) {
                 RawTensor& all = file.tensor("blk.0.ffn_gate_exps.weight");
                 const std::size_t n_bytes = all.data.size() / 6;
                 for (std::size_t e = 0; e < 6; ++e)
                     file.tensors.push_back({.name = fmt::format("blk.0.ffn_gate.{}.weight", e),
                                             .shape = {64, 64},
                                             .type = file.tensor("blk.0.ffn_gate_exps.weight").type,
                                             .data = file.tensor("blk.0.ffn_gate_exps.weight")
                                                         .data.substr(e * n_bytes, n_bytes)});
                 remove_tensor(file, "blk.0.ffn_gate_exps.weight");
             }));
    list.add(Verdict::refuse_when_checked, "expert-not-finite", "blk.0.ffn_up_exps.weight",
             "a block of the last expert whose scale is infinity",
             with("llama", [](GgufBuilder& file) {
                 std::string& data = file.tensor("blk.0.ffn_up_exps.weight").data;
                 data.replace(data.size() - 18, 2, raw(std::uint16_t{0x7C00}));
             }));
}

} // namespace

void add_expert_cases(Cases& cases) {
    CaseList list(cases, "experts", Owner::model);
    add_counts(list);
    add_tensors(list);
}

} // namespace pillar::support
