#include "request.hpp"

namespace pillar::engine {

std::size_t request_capacity(const forward::TransformerOptions& options) {
    return sizeof(RequestHead) +
           options.max_sequences *
               (max_keeps * sizeof(StepPlan::Keep) + sizeof(StepPlan::Sampling) +
                max_biases * sizeof(StepPlan::Bias)) +
           options.max_rows * sizeof(RequestRow) +
           options.max_logit_rows * sizeof(sampling::TokenId);
}

std::size_t write_request(const RequestHead& head, const StepPlan& plan,
                          std::span<std::byte> buffer) {
    MessageWriter message(buffer);
    message.put(head);
    message.put_all(std::span(plan.keeps));
    message.put_all(std::span(plan.samplings));
    message.put_all(std::span(plan.biases));
    for (const forward::Row& row : plan.rows)
        message.put(RequestRow{row.token, row.position, row.sequence, row.want_logits ? 1u : 0u});
    message.put_all(std::span(plan.labels));
    return message.size();
}

RequestHead read_request(std::span<const std::byte> buffer, StepPlan& plan) {
    MessageReader message(buffer);
    const auto head = message.get<RequestHead>();
    plan.clear();
    plan.phase = head.phase;
    plan.is_draft = head.is_draft != 0;
    const auto take = [&](auto& list, std::uint32_t n) {
        list.resize(n);
        message.get_all(std::span(list));
    };
    take(plan.keeps, head.n_keeps);
    take(plan.samplings, head.n_samplings);
    take(plan.biases, head.n_biases);
    std::uint32_t n_labels = 0;
    for (std::uint32_t r = 0; r < head.n_rows; ++r) {
        const auto row = message.get<RequestRow>();
        plan.rows.push_back({row.token, row.position, row.sequence, row.want_logits != 0});
        n_labels += row.want_logits != 0 ? head.has_labels : 0u;
    }
    take(plan.labels, n_labels);
    return head;
}

} // namespace pillar::engine
