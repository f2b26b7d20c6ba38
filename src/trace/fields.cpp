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

std::span<const Field<StepRow>> step_fields() {
    return of_steps;
}
std::span<const Field<RankRow>> rank_fields() {
    return of_ranks;
}
std::span<const Field<RankShare>> share_fields() {
    return of_shares;
}

} // namespace pillar::trace
