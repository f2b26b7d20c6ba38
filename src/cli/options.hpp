#pragma once
// The flags that several subcommands share, with llama.cpp's names and meanings where both have the
// thing.

#include "pillar/comm/environment.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/sampling/sampling.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App; // flags alone see CLI11, which costs seconds a file
}

namespace pillar::cli {

/// How to load and compute a model.
struct ModelOptions {
    std::string model;
    std::string synthetic;     ///< "llama-3.2-1b:q4_0" instead of a file
    std::size_t n_context = 0; ///< 0: min(the model's, 4096)
    std::size_t n_batch = 256;
    int n_threads = 0; ///< 0: what the binding gives
    std::string kernels = "auto";
    std::string cache_type = "f16";
    std::string allreduce = "auto";
    std::string wire = "f32";
    std::string emulate_network; ///< empty: the network there is
    std::string split = "even";
    bool check_tensors = false;
    double timeout_s = 0; ///< as WatchLimits::step_s
};

/// What to complete.
struct PromptOptions {
    std::string prompt; ///< -p
    std::string file;   ///< -f; "-" is standard input
    bool escape = true; ///< \n, \t … in -p
};

void add_model_file(CLI::App& app, std::string& model);
void add_model_options(CLI::App& app, ModelOptions& options);
/// Those of them that do not say which model or how many of anything.
void add_compute_options(CLI::App& app, ModelOptions& options);
void add_prompt_options(CLI::App& app, PromptOptions& options);
/// Sampling flags; the seed is read apart because −1 means "choose one".
void add_sampling_options(CLI::App& app, sampling::Parameters& parameters, std::int64_t& seed);

/// Nothing: auto.
std::optional<comm::Algorithm> parse_algorithm(const std::string& name);
comm::Wire parse_wire(const std::string& name);
/// "50,8.5": microseconds, nanoseconds a byte. Empty: nothing. Throws UsageError.
std::optional<comm::NetworkModel> parse_network(const std::string& text);
kernels::CacheType parse_cache_type(const std::string& name);

/// Rank 0 only. The prompt's bytes from -p, -f or standard input. Throws UsageError or IoError.
/// `attend` is called while nobody has typed or piped it yet.
std::string read_prompt(const PromptOptions& options, FunctionRef<void()> attend);

/// Is a person looking at this terminal? Under mpirun the process cannot see it: PILLAR_TTY
/// decides, set by the launch scripts.
bool on_terminal();

} // namespace pillar::cli
