#pragma once
// The flags that several subcommands share, with llama.cpp's names and meanings where both have the
// thing.

#include "split_request.hpp"

#include "pillar/comm/environment.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/sampling/sampling.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pillar::cli {

class Subcommand; // arguments/subcommand.hpp

/// How to load and compute a model.
struct ModelOptions {
    std::string model;
    std::string synthetic;     ///< "llama-3.2-1b:q4_0" instead of a file
    std::size_t n_context = 0; ///< 0: min(the model's, 4096)
    std::size_t n_batch = 256;
    int n_threads = 0; ///< 0: what the binding gives
    std::string kernels = "auto";
    kernels::CacheType cache_type = kernels::CacheType::f16;
    std::optional<comm::Algorithm> allreduce; ///< nothing: auto
    comm::Wire wire = comm::Wire::f32;
    std::optional<comm::NetworkModel> emulated; ///< nothing: the network there is
    SplitRequest split;
    bool check_tensors = false;
    double timeout_s = 0; ///< as WatchLimits::step_s
};
/// "auto" or the algorithm's name.
std::string allreduce_text(const ModelOptions& options);
/// "50,8.5"; "" where none is emulated.
std::string network_text(const std::optional<comm::NetworkModel>& network);

/// What to complete.
struct PromptOptions {
    std::optional<std::string> prompt; ///< -p; an empty one is one
    std::string file;                  ///< -f; "-" is standard input
    bool escape = true;                ///< \n, \t … in -p
};

/// Which model: of a subcommand that needs one, or, with `or_synthetic`, --synthetic as well.
void add_model_file(Subcommand& sub, std::string& model);
void add_model_or_synthetic(Subcommand& sub, ModelOptions& options, bool is_required);
void add_context(Subcommand& sub, ModelOptions& options);
void add_batch_size(Subcommand& sub, ModelOptions& options);
void add_threads(Subcommand& sub, ModelOptions& options);
void add_cache_type(Subcommand& sub, ModelOptions& options);
void add_wire(Subcommand& sub, ModelOptions& options);
void add_output_format(Subcommand& sub, std::string& format, bool with_jsonl);
/// All flags of a subcommand that computes one model.
void add_model_options(Subcommand& sub, ModelOptions& options);
/// Those of them that do not say which model or how many of anything. With `table`, --allreduce may
/// stand alone or say "table", which sets it.
void add_compute_options(Subcommand& sub, ModelOptions& options, bool* table = nullptr);
void add_prompt_options(Subcommand& sub, PromptOptions& options);
/// Sampling flags; no seed: one is to be chosen.
void add_sampling_options(Subcommand& sub, sampling::Parameters& parameters,
                          std::optional<std::uint64_t>& seed);

/// "50,8.5": microseconds, nanoseconds a byte. Throws UsageError.
comm::NetworkModel parse_network(const std::string& text);
/// -1: nothing, one is chosen. Throws UsageError.
std::optional<std::uint64_t> parse_seed(const std::string& text, std::string_view flag);

/// Is a person looking at this terminal? Under mpirun the process cannot see it: PILLAR_TTY
/// decides, set by the launch scripts.
bool on_terminal();

} // namespace pillar::cli
