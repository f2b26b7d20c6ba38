#include "options.hpp"

#include "split.hpp"
#include "waiting.hpp"

#include "pillar/core/errors.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace pillar::cli {

void add_model_file(CLI::App& app, std::string& model) {
    app.add_option("-m,--model", model, "GGUF file; of a split model any part")
        ->required()
        ->type_name("FILE");
}

void add_model_options(CLI::App& app, ModelOptions& o) {
    add_model_file(app, o.model);
    app.add_option("-c,--ctx-size", o.n_context,
                   "context: positions a sequence may have; 0 = min(model's, 4096)")
        ->check(CLI::Range(std::size_t{0}, std::size_t{INT32_MAX}))
        ->type_name("N");
    app.add_option("-b,--batch-size", o.n_batch, "prompt tokens a step")
        ->check(CLI::Range(1, 4096))
        ->type_name("N")
        ->capture_default_str();
    app.add_option("-t,--threads", o.n_threads,
                   "threads per rank; 0 = the cores this rank is bound to")
        ->check(CLI::Range(0, 256))
        ->type_name("N");
    add_compute_options(app, o);
}

void add_compute_options(CLI::App& app, ModelOptions& o) {
    app.add_option("--kernels", o.kernels, "auto, or one of this machine's kernel families")
        ->type_name("NAME")
        ->capture_default_str();
    app.add_option("--cache-type", o.cache_type, "KV cache: f16, f32 or q8_0")
        ->check(CLI::IsMember({"f16", "f32", "q8_0"}))
        ->type_name("TYPE")
        ->capture_default_str();
    app.add_option("--allreduce", o.allreduce,
                   "how partial sums are added over the ranks: auto (the fastest of the first "
                   "three here), recursive-doubling, direct, two-step, ring or mpi")
        ->check(CLI::IsMember({"auto", "recursive-doubling", "direct", "two-step", "ring", "mpi"}))
        ->type_name("NAME")
        ->capture_default_str();
    app.add_option("--wire", o.wire,
                   "type of the all-reduced values on the network: f32, f16 or q8")
        ->check(CLI::IsMember({"f32", "f16", "q8"}))
        ->type_name("TYPE")
        ->capture_default_str();
    app.add_option("--emulate-network", o.emulate_network,
                   "let messages between ranks of this machine arrive no earlier than on a network "
                   "with this latency in microseconds and these nanoseconds a byte: 50,8.5")
        ->type_name("US,NS");
    app.parse_complete_callback([&o] {
        (void)parse_split(o.split);
        if (const auto algorithm = parse_algorithm(o.allreduce))
            comm::require_available(*algorithm, parse_wire(o.wire));
        if (parse_network(o.emulate_network) && o.allreduce == "mpi")
            throw UsageError("--emulate-network does not go with --allreduce mpi, whose messages "
                             "are Open MPI's own: use another");
    });
    app.add_flag("--check-tensors", o.check_tensors,
                 "refuse a model whose weights are not all finite numbers");
    app.add_option(
           "--timeout", o.timeout_s,
           "seconds that a rank waits for another one within a step before the silent one ends "
           "the job; 0 = 20 median steps, at least 30 s; -1 = for ever")
        ->check([](const std::string& text) {
            double value = 0;
            const bool is_number = CLI::detail::lexical_cast(text, value);
            return is_number && (value == 0 || value == -1 || (value >= 1 && value <= 1e6))
                       ? std::string()
                       : "wants 0, -1, or 1 to 1000000 seconds";
        })
        ->type_name("S");
    app.add_option(
           "--split", o.split,
           "how the model is shared among the ranks: even; auto (by measured speed, within "
           "each node's memory); one share a rank as in 0.3,0.7; or as in the trace FILE.h5")
        ->type_name("HOW")
        ->capture_default_str();
}

void add_prompt_options(CLI::App& app, PromptOptions& o) {
    auto* prompt = app.add_option("-p,--prompt", o.prompt, "the prompt")->type_name("TEXT");
    app.add_option("-f,--file", o.file, "file with the prompt, taken as it is; - is standard input")
        ->excludes(prompt)
        ->type_name("FILE");
    app.add_flag("--escape,!--no-escape", o.escape,
                 "process \\n, \\t, \\\\, \\\" and \\' in -p (default: yes)");
}

void add_sampling_options(CLI::App& app, sampling::Parameters& p, std::int64_t& seed) {
    app.add_option("-s,--seed", seed, "seed of the random numbers; -1 = choose one")
        ->type_name("N");
    app.add_option("--temp", p.temperature, "temperature; 0 = greedy")
        ->type_name("X")
        ->capture_default_str();
    app.add_option("--top-k", p.top_k, "keep the k best tokens; 0 = all")
        ->type_name("K")
        ->capture_default_str();
    app.add_option("--top-p", p.top_p, "keep the best tokens up to this probability; 1 = off")
        ->type_name("P")
        ->capture_default_str();
    app.add_option("--min-p", p.min_p,
                   "drop tokens below this share of the best one's probability; 0 = off")
        ->type_name("P")
        ->capture_default_str();
    app.add_option("--repeat-last-n", p.repeat_last_n,
                   "tokens that penalties look back; 0 = off, -1 = context")
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--repeat-penalty", p.repeat_penalty, "penalty on repeated tokens; 1 = off")
        ->type_name("X")
        ->capture_default_str();
    app.add_option("--presence-penalty", p.presence_penalty, "0 = off")
        ->type_name("X")
        ->capture_default_str();
    app.add_option("--frequency-penalty", p.frequency_penalty, "0 = off")
        ->type_name("X")
        ->capture_default_str();
}

std::optional<comm::Algorithm> parse_algorithm(const std::string& name) {
    return comm::algorithm_named(name);
}

comm::Wire parse_wire(const std::string& name) {
    return comm::wire_named(name).value_or(comm::Wire::f32);
}

std::optional<comm::NetworkModel> parse_network(const std::string& text) {
    if (text.empty()) return std::nullopt;
    constexpr double most = 1e6; // a second; a kilobyte a second
    double latency_us = -1, ns_per_byte = -1;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, latency_us);
    auto second = first;
    if (first.ec == std::errc() && first.ptr != end && *first.ptr == ',')
        second = std::from_chars(first.ptr + 1, end, ns_per_byte);
    const auto in_range = [](double value) { return value >= 0 && value <= most; };
    if (second.ec != std::errc() || second.ptr != end || !in_range(latency_us) ||
        !in_range(ns_per_byte))
        throw UsageError(fmt::format("--emulate-network {}: give the latency in microseconds and "
                                     "the nanoseconds a byte, both from 0 to 1e6, as in 50,8.5",
                                     printable(text)));
    return comm::NetworkModel{latency_us * 1e-6, ns_per_byte * 1e-9};
}

kernels::CacheType parse_cache_type(const std::string& name) {
    if (name == "f32") return kernels::CacheType::f32;
    return name == "q8_0" ? kernels::CacheType::q8_0 : kernels::CacheType::f16;
}

namespace {

/// \n, \r, \t, \\, \', \" and \xHH as llama.cpp's -e; anything else stays as it is.
std::string process_escapes(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char next = text[++i];
        switch (next) {
        case 'n':
            out += '\n';
            break;
        case 'r':
            out += '\r';
            break;
        case 't':
            out += '\t';
            break;
        case '\\':
        case '\'':
        case '"':
            out += next;
            break;
        case 'x':
            if (i + 2 < text.size() &&
                std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
                out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
                i += 2;
                break;
            }
            [[fallthrough]];
        default:
            out += '\\', out += next;
        }
    }
    return out;
}

std::string read_all(std::FILE* stream, const std::string& name, FunctionRef<void()> attend) {
    std::string text;
    char buffer[65536];
    for (;;) {
        wait_until_readable(fileno(stream), attend);
        const ssize_t n = ::read(fileno(stream), buffer, sizeof buffer);
        if (n == 0) return text;
        if (n > 0) {
            text.append(buffer, static_cast<std::size_t>(n));
        } else if (errno == EBADF) {
            throw IoError(ExitCode::io, name, "it is closed; give the prompt with -p or -f FILE");
        } else if (errno != EINTR && errno != EAGAIN) {
            throw IoError::from_errno(name, "read", errno);
        }
    }
}

} // namespace

std::string read_prompt(const PromptOptions& options, FunctionRef<void()> attend) {
    if (!options.prompt.empty())
        return options.escape ? process_escapes(options.prompt) : options.prompt;
    const bool from_stdin = options.file == "-" || options.file.empty();
    if (from_stdin) {
        if (options.file.empty() && isatty(STDIN_FILENO) != 0)
            throw UsageError("no prompt: give one with -p TEXT, -f FILE, or on standard input");
        return read_all(stdin, "standard input", attend);
    }
    std::FILE* file = std::fopen(options.file.c_str(), "rb");
    if (file == nullptr) throw IoError::from_errno(options.file, "open", errno);
    try {
        std::string text = read_all(file, options.file, attend);
        std::fclose(file);
        return text;
    } catch (...) {
        std::fclose(file);
        throw;
    }
}

bool on_terminal() {
    // A launcher gives its ranks pipes; nothing else of it needs to be known.
    if (const char* told = std::getenv("PILLAR_TTY")) return std::strcmp(told, "1") == 0;
    return isatty(STDERR_FILENO) != 0;
}

} // namespace pillar::cli
