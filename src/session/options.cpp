#include "pillar/session/options.hpp"

#include <fmt/core.h>

namespace pillar::session {

std::string model_name(const ModelOptions& options) {
    return options.synthetic ? options.synthetic->name : options.model;
}

std::string allreduce_text(const ModelOptions& options) {
    return options.allreduce ? std::string(comm::name_of(*options.allreduce)) : "auto";
}

std::string draft_text(const DraftOptions& draft) {
    if (draft.n_most == 0) return {};
    return fmt::format("{}:{}", draft.model.empty() ? "ngram" : draft.model, draft.n_most);
}

std::string network_text(const std::optional<comm::NetworkModel>& network) {
    if (!network) return {};
    return fmt::format("{:.10g},{:.10g}", network->latency_s * 1e6, network->s_per_byte * 1e9);
}

} // namespace pillar::session
