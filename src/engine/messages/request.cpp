#include "request.hpp"

namespace pillar::engine {

std::size_t request_capacity(const forward::Transformer& transformer) {
    const forward::TransformerOptions& options = transformer.options();
    return sizeof(RequestHead) +
           options.max_sequences * (sizeof(StepPlan::Keep) + sizeof(StepPlan::Sampling)) +
           options.max_rows * sizeof(RequestRow);
}

std::size_t write_request(const RequestHead& head, const StepPlan& plan,
                          std::span<std::byte> buffer) {
    MessageWriter message(buffer);
    message.put(head);
    message.put_all(std::span(plan.keeps));
    message.put_all(std::span(plan.samplings));
    for (const forward::Row& row : plan.rows)
        message.put(RequestRow{row.token, row.position, row.sequence, row.want_logits ? 1u : 0u});
    return message.size();
}

RequestHead read_request(std::span<const std::byte> buffer, StepPlan& plan) {
    MessageReader message(buffer);
    const auto head = message.get<RequestHead>();
    plan.clear();
    plan.phase = head.phase;
    for (std::uint32_t k = 0; k < head.n_keeps; ++k)
        plan.keeps.push_back(message.get<StepPlan::Keep>());
    for (std::uint32_t k = 0; k < head.n_samplings; ++k)
        plan.samplings.push_back(message.get<StepPlan::Sampling>());
    for (std::uint32_t r = 0; r < head.n_rows; ++r) {
        const auto row = message.get<RequestRow>();
        plan.rows.push_back({row.token, row.position, row.sequence, row.want_logits != 0});
    }
    return head;
}

} // namespace pillar::engine
