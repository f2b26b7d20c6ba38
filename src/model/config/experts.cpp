#include "experts.hpp"

#include "pillar/gguf/value.hpp"
#include "pillar/model/architecture.hpp"

#include <fmt/core.h>

namespace pillar::model {

namespace {

/// What the first converters wrote.
void refuse_a_tensor_an_expert(const gguf::File& file) {
    const std::string name = "blk.0.ffn_gate.0.weight";
    if (file.find_tensor(name) != nullptr)
        throw file.error(name,
                         "a tensor for each expert, as old converters wrote them; convert the "
                         "model anew, which puts a layer's experts into one");
}

} // namespace

void read_experts(const gguf::File& file, Hyperparameters& h, std::size_t min_experts) {
    const gguf::Metadata& metadata = file.metadata();
    const auto key = [&](std::string_view name) {
        return fmt::format("{}.{}", h.architecture->name, name);
    };
    const auto required = [&](std::string_view name, std::uint64_t lowest, std::uint64_t highest) {
        const auto value = metadata.integer(key(name), lowest, highest);
        if (!value)
            throw metadata.error(key(name), "the key is missing; the file is not a complete model");
        return static_cast<std::size_t>(*value);
    };
    if (min_experts == 0 &&
        metadata.integer(key("expert_count"), 0, max_experts).value_or(0) == 0) {
        if (metadata.integer(key("expert_used_count"), 0, max_experts).value_or(0) > 0)
            throw metadata.error(key("expert_used_count"), "experts are used, but there are none");
        return;
    }
    h.n_experts = required("expert_count", min_experts, max_experts);
    h.n_experts_used = required("expert_used_count", 1, max_experts);
    if (h.n_experts_used > h.n_experts)
        throw metadata.error(key("expert_used_count"), fmt::format("a row uses {} of {} experts",
                                                                   h.n_experts_used, h.n_experts));
    h.hidden_dim =
        metadata.integer(key("expert_feed_forward_length"), 1, max_dim).value_or(h.hidden_dim);
    refuse_a_tensor_an_expert(file);
}

} // namespace pillar::model
