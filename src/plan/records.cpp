#include "records.hpp"

#include "pillar/kernels/family.hpp"
#include "pillar/session/options.hpp"

#include <fmt/core.h>

namespace pillar::plan {

namespace {

using tables::Record, tables::Value;

Record time_record(const perf::StepTime& time) {
    return {{"total_s", time.total()},         {"matrices_s", time.matrices_s},
            {"attention_s", time.attention_s}, {"barriers_s", time.barriers_s},
            {"latency_s", time.latency_s},     {"bandwidth_s", time.bandwidth_s},
            {"summing_s", time.reduction_s},   {"arithmetic_bound", time.arithmetic_bound}};
}

Record limits_record(const Limits& limits) {
    return {{"binding", name_of(limits.binding())}, {"memory_s", limits.memory_s},
            {"arithmetic_s", limits.arithmetic_s},  {"imbalance_s", limits.imbalance_s},
            {"latency_s", limits.latency_s},        {"bytes_s", limits.bytes_s}};
}

void set_interval(Record& record, const std::string& name, const perf::Interval& interval) {
    record.set(name, interval.value);
    record.set(name + "_low", interval.low);
    record.set(name + "_high", interval.high);
}

void set_speeds(Record& record, const PlanRow& row) {
    set_interval(record, "decode_tokens_per_s", row.decode_per_s);
    set_interval(record, "prompt_tokens_per_s", row.prompt_per_s);
    set_interval(record, "joules_per_token", row.joules_a_token);
    record.set("price", row.price > 0 ? Value(row.price) : Value());
}

void set_request(Record& record, const PlanRequest& request) {
    record.set("n_context", request.model.n_context);
    record.set("n_batch", request.model.n_batch);
    record.set("n_prompt", request.n_prompt);
    record.set("depth", request.depth);
    record.set("n_parallel", request.n_parallel);
    record.set("cache_type", kernels::name_of(request.model.cache_types));
    record.set("wire", comm::name_of(request.model.wire));
}

Record draft_record(const PlanTable& table, const DraftRow& draft) {
    Record record{{"proposer", table.draft}, {"acceptance", table.request.draft->acceptance},
                  {"length", draft.length},  {"tokens_per_step", draft.tokens_a_step},
                  {"step_s", draft.step_s},  {"step_cost", draft.cost}};
    set_interval(record, "tokens_per_s", draft.tokens_per_s);
    set_interval(record, "gain", draft.gain);
    return record;
}

} // namespace

Record record_of(const PlanTable& table, const PlanRow& row) {
    Record record{{"model", table.model}, {"profile", table.profile}, {"ranks", row.n_ranks}};
    set_request(record, table.request);
    record.set("split", session::weights_text(row.weights));
    record.set("weights_bytes", row.need.weights);
    record.set("kv_cache_bytes", row.need.kv_cache);
    record.set("buffers_bytes", row.need.buffers);
    record.set("available_bytes", row.available_bytes);
    record.set("fits", row.fits());
    record.set("read_bytes_per_token", row.read_bytes);
    record.set("read_imbalance", row.imbalance());
    record.set("sent_bytes_per_token", row.token.bytes_sent);
    record.set("messages_per_token", row.token.messages_sent);
    record.set("sent_bytes_per_prompt", row.prompt_sent.bytes_sent);
    record.set("messages_per_prompt", row.prompt_sent.messages_sent);
    record.set("decode_allreduce", row.n_ranks == 1 ? "" : comm::name_of(row.decode_allreduce));
    record.set("prompt_allreduce", row.n_ranks == 1 ? "" : comm::name_of(row.prompt_allreduce));
    set_speeds(record, row);
    record.set("speed_up", row.decode_per_s.value / table.base.decode_per_s.value);
    record.set("base_ranks", table.base.n_ranks);
    record.set("decode", time_record(row.decode));
    record.set("prompt", time_record(row.prompt));
    record.set("limit", limits_record(row.limits));
    if (row.draft) record.set("draft", draft_record(table, *row.draft));
    return record;
}

Record record_of(const GridRow& row, const PlanRequest& request) {
    Record record{{"model", row.model},           {"format", row.format},
                  {"profile", row.profile},       {"ranks", row.plan.n_ranks},
                  {"file_bytes", row.file_bytes}, {"read_bytes_per_token", row.plan.read_bytes},
                  {"fits", row.plan.fits()}};
    set_speeds(record, row.plan);
    record.set("read_imbalance", row.plan.imbalance());
    record.set("limit", name_of(row.plan.limits.binding()));
    record.set("n_prompt", request.n_prompt);
    record.set("depth", request.depth);
    record.set("n_parallel", request.n_parallel);
    return record;
}

} // namespace pillar::plan
