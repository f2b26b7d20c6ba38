#pragma once
// The flags that several subcommands share, with llama.cpp's names and meanings where both have the
// thing.

#include "pillar/arguments/subcommand.hpp"
#include "pillar/sampling/sampling.hpp"
#include "pillar/session/options.hpp"
#include "pillar/session/tracing.hpp"
#include "pillar/tables/writer.hpp"
#include "pillar/terminal/prompt_text.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::cli {

using arguments::Flag;
using arguments::Ranks;
using arguments::Subcommand;

/// Which model: of a subcommand that needs one, or, with `or_synthetic`, --synthetic as well.
void add_model_file(Subcommand& sub, std::string& model);
/// `waived`: where it says so, none is required after all.
void add_model_or_synthetic(Subcommand& sub, session::ModelOptions& options, bool is_required,
                            const bool* waived = nullptr);
void add_context(Subcommand& sub, session::ModelOptions& options);
void add_batch_size(Subcommand& sub, session::ModelOptions& options);
void add_threads(Subcommand& sub, session::ModelOptions& options);
void add_cache_type(Subcommand& sub, session::ModelOptions& options);
void add_wire(Subcommand& sub, session::ModelOptions& options);
void add_output_format(Subcommand& sub, tables::Format& format, bool with_jsonl);
/// All flags of a subcommand that computes one model.
void add_model_options(Subcommand& sub, session::ModelOptions& options);
/// Those of them that do not say which model or how many of anything. With `table`, --allreduce may
/// stand alone or say "table", which sets it.
void add_compute_options(Subcommand& sub, session::ModelOptions& options, bool* table = nullptr);
void add_prompt_options(Subcommand& sub, terminal::PromptOptions& options);
/// Sampling flags; no seed: one is to be chosen.
void add_sampling_options(Subcommand& sub, sampling::Parameters& parameters,
                          std::optional<std::uint64_t>& seed);

/// --draft.
void add_draft(Subcommand& sub, session::DraftOptions& options);

/// --prompt-cache.
void add_prompt_cache(Subcommand& sub, std::string& file);
/// --trace and --force.
/// Without --force, for a subcommand that has its own.
void add_trace_flags(Subcommand& sub, session::TraceFlags& flags);
void add_trace_options(Subcommand& sub, session::TraceFlags& flags);

/// Files of "a.gguf,b.gguf". A comma is part of a name where there is a file of that name. Throws
/// UsageError naming `flag`.
std::vector<std::string> file_names(const std::string& list, std::string_view flag);
/// "50,8.5": microseconds, nanoseconds a byte. Throws UsageError.
comm::NetworkModel parse_network(const std::string& text);
/// -1: nothing, one is chosen. Throws UsageError.
std::optional<std::uint64_t> parse_seed(const std::string& text, std::string_view flag);

} // namespace pillar::cli
