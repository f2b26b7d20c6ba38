// "llama": Llama 1–3.x, TinyLlama, Mistral, SmolLM2 and what else converts to this name. Everything
// it needs is shared with other architectures; only its mixture-of-experts variant (Mixtral) is
// told apart here.

#include "architectures.hpp"

namespace pillar::model {

namespace {

void read_llama(const gguf::File& file, Hyperparameters& /*h*/) {
    const auto n_experts = file.metadata().integer("llama.expert_count", 0, UINT32_MAX);
    if (n_experts.value_or(0) > 0)
        throw file.metadata().error("llama.expert_count",
                                    "mixtures of experts are not supported; use a dense model");
}

} // namespace

const Architecture llama_architecture{"llama", read_llama};

} // namespace pillar::model
