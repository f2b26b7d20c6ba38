#include "pillar/trace/fields.hpp"

#include <array>
#include <sstream>

namespace pillar::trace {

namespace {

constexpr std::string_view phases = "prefill decode";
constexpr std::string_view models = "model draft";

// A field of engine::StepCounts that all ranks count alike is a line here …
constexpr auto of_steps = std::to_array<Field<StepRow>>({
    {"step", "", "number of the step in the run", &StepRow::step},
    {"t_start_s", "s", "begin on rank 0's clock, since `created`", &StepRow::t_start_s},
    {"duration_s", "s", "begin to end on rank 0", &StepRow::duration_s},
    {"phase", "", "", &StepRow::phase, phases},
    {"n_rows", "", "rows (tokens) computed", &StepRow::n_rows},
    {"n_logits", "", "rows with logits", &StepRow::n_logits},
    {"n_attended", "",
     "pairs of a row and a position that it sees, its own included: what attention multiplies",
     &StepRow::n_attended, "", true},
    {"n_cached", "",
     "positions whose keys and values are read, of all sequences: the last row's of each",
     &StepRow::n_cached, "", true},
    {"n_sequences", "", "sequences that have rows; 0 in traces of an older pillar",
     &StepRow::n_sequences, "", true},
    {"n_pages", "", "of the KV cache, of 256 positions, that sequences hold after the step",
     &StepRow::n_pages, "", true},
    {"n_shared", "",
     "positions that sequences begin with in this step and need not compute: others have the same",
     &StepRow::n_shared, "", true},
    {"n_proposed", "", "rows whose tokens were proposed (`--draft`)", &StepRow::n_proposed, "",
     true},
    {"n_accepted", "", "of these: the tokens that were picked", &StepRow::n_accepted, "", true},
    {"is_draft", "", "which one computes: the draft model proposes", &StepRow::is_draft, models,
     true},
    {"request_bytes", "byte", "rank 0's message to all", &StepRow::request_bytes, "", true},
    {"reply_bytes", "byte", "longest reply of a rank", &StepRow::reply_bytes, "", true},
    {"propose_s", "s",
     "planning the step, before it, on rank 0: proposing tokens, admitting sequences",
     &StepRow::propose_s, "", true},
    {"sample_s", "s",
     "putting the ranks' candidates together and choosing the tokens, after the step, on rank 0",
     &StepRow::sample_s, "", true},
    {"trace_s", "s", "what tracing took after the step on rank 0: outside the timed region",
     &StepRow::trace_s},
    {"trace_bytes", "byte", "what all ranks together sent after the step for traces and clocks",
     &StepRow::trace_bytes},
});

// … and one that is a rank's own is a line here.
constexpr auto of_ranks = std::to_array<Field<RankRow>>({
    {"compute_s", "s", "outside collectives", &RankRow::compute_s},
    {"wait_s", "s",
     "in collectives, until the last of the ranks came without which there was no going on",
     &RankRow::wait_s},
    {"wire_s", "s", "in collectives, after that", &RankRow::wire_s},
    {"idle_s", "s",
     "before rank 0 began the step: it sampled, printed, or waited for its user. Not part of the "
     "step",
     &RankRow::idle_s},
    {"wait_uncertainty_s", "s",
     "how far `wait_s` (and, the other way, `wire_s`) may be off because clocks are",
     &RankRow::wait_uncertainty_s},
    {"wait_resolved", "", "`wait_s` and its uncertainty", &RankRow::wait_resolved, "below above"},
    {"embed_s", "s", "of `compute_s`: embedding and first norm; NaN: the step had no layers",
     &RankRow::embed_s, "", true},
    {"output_s", "s",
     "of `compute_s`: after the last layer's all-reduce; last norm, output matrix, candidates",
     &RankRow::output_s, "", true},
    {"bytes_sent", "byte", "payload of the step's messages", &RankRow::bytes_sent},
    {"messages_sent", "", "messages of the step", &RankRow::messages_sent},
    {"bytes_read", "byte", "read from the model file (embedding rows)", &RankRow::bytes_read},
});

constexpr auto of_shares = std::to_array<Field<RankShare>>({
    {"split_share", "",
     "the rank's number in the split, of which only ratios count; NaN: the split was even",
     &RankShare::split_share},
    {"split_bytes_per_s", "byte/s", "what `--split auto` measured; NaN: nothing was measured",
     &RankShare::split_bytes_per_s},
    {"layer_bytes", "byte", "what a step reads of all layers' matrices, without experts'",
     &RankShare::layer_bytes},
    {"heads_bytes", "byte", "of these, query, key, value and output projection",
     &RankShare::heads_bytes},
    {"output_bytes", "byte", "of the output matrix, where a row wants logits",
     &RankShare::output_bytes},
    {"expert_bytes", "byte",
     "of one expert in all layers; 0 without experts; absent in traces of an older pillar",
     &RankShare::expert_bytes, "", true},
    {"n_experts", "", "a layer; likewise", &RankShare::n_experts, "", true},
    {"n_experts_used", "", "that a row goes through; likewise", &RankShare::n_experts_used, "",
     true},
    {"layer_macs", "",
     "int8 multiply-accumulates of a row in all layers; 0 with the reference kernels",
     &RankShare::layer_macs},
    {"output_macs", "", "and of a row that wants logits in the output matrix",
     &RankShare::output_macs},
    {"kv_bytes", "byte", "keys and values of one position in all layers", &RankShare::kv_bytes},
    {"n_heads", "", "own query heads", &RankShare::n_heads},
});

constexpr auto of_layers = std::to_array<Field<LayerRow>>({
    {"step", "", "of /steps", &LayerRow::step},
    {"rank", "", "of /ranks", &LayerRow::rank},
    {"layer", "", "from 0", &LayerRow::layer},
    {"t_start_s", "s", "begin on rank 0's clock, since `created`", &LayerRow::t_start_s},
    {"attention_s", "s",
     "query, key, value, attention, output projection; in later layers also what follows the sum "
     "before: residual, norm",
     &LayerRow::attention_s},
    {"attention_wait_s", "s", "waiting in the first all-reduce", &LayerRow::attention_wait_s},
    {"attention_wire_s", "s", "the rest of it", &LayerRow::attention_wire_s},
    {"feed_forward_s", "s", "residual, norm, gate, up, down, or the experts",
     &LayerRow::feed_forward_s},
    {"feed_forward_wait_s", "s", "waiting in the second all-reduce",
     &LayerRow::feed_forward_wait_s},
    {"feed_forward_wire_s", "s", "the rest of it", &LayerRow::feed_forward_wire_s},
});

constexpr auto of_telemetry = std::to_array<Field<TelemetryRow>>({
    {"t_s", "s", "on rank 0's clock, since `created`", &TelemetryRow::t_s},
    {"rank", "", "whose machine", &TelemetryRow::rank},
    {"clock_hz", "Hz", "mean core clock", &TelemetryRow::clock_hz},
    {"temperature_c", "celsius", "of the processor", &TelemetryRow::temperature_c},
    {"throttled", "", "the Raspberry Pi firmware's `get_throttled` bits", &TelemetryRow::throttled},
    {"resident_bytes", "byte", "memory that the rank holds", &TelemetryRow::resident_bytes},
    {"supply_v", "V", "what the board is supplied with; NaN: it does not tell",
     &TelemetryRow::supply_v},
    {"power_w", "W", "what the board takes; NaN: it does not tell", &TelemetryRow::power_w},
});

} // namespace

template <class Row>
storage::Description Field<Row>::description() const {
    storage::Description what{.units = std::string(unit), .long_name = std::string(meaning)};
    std::istringstream text{std::string(words)};
    for (std::string word; text >> word;) what.meanings.push_back(word);
    return what;
}
template struct Field<StepRow>;
template struct Field<RankRow>;
template struct Field<RankShare>;
template struct Field<LayerRow>;
template struct Field<TelemetryRow>;

std::span<const Field<StepRow>> step_fields() {
    return of_steps;
}
std::span<const Field<RankRow>> rank_fields() {
    return of_ranks;
}
std::span<const Field<RankShare>> share_fields() {
    return of_shares;
}
std::span<const Field<LayerRow>> layer_fields() {
    return of_layers;
}
std::span<const Field<TelemetryRow>> telemetry_fields() {
    return of_telemetry;
}

} // namespace pillar::trace
