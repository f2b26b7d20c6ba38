// make_tiny_model --output tiny.gguf [--layers 2 --dim 64 …]: a small random model for scripts and
// demonstrations.

#include "support/models/tiny_model.hpp"

#include "pillar/core/errors.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

namespace {

using pillar::support::RopeScaling;
using pillar::support::TinyModel;

/// The format of this name, upper or lower case; nothing for "mixed".
std::optional<pillar::quant::Type> type_named(const std::string& name) {
    if (name == "mixed") return std::nullopt;
    for (const auto type : pillar::quant::all_types)
        if (CLI::detail::to_lower(std::string(pillar::quant::info(type).name)) ==
            CLI::detail::to_lower(name))
            return type;
    throw pillar::UsageError(fmt::format("--type {}: no such format", pillar::printable(name)));
}

/// "NAME=u32:4", f32, bool and text likewise; flags:101 is an array of booleans.
void set_key(pillar::support::GgufBuilder& file, const std::string& text) {
    const std::size_t equals = text.find('='), colon = text.find(':', equals);
    if (equals == std::string::npos || colon == std::string::npos)
        throw pillar::UsageError(fmt::format("--key {}: no NAME=TYPE:VALUE", text));
    const std::string name = text.substr(0, equals), value = text.substr(colon + 1);
    const std::string type = text.substr(equals + 1, colon - equals - 1);
    if (type == "u32") {
        file.set(name, static_cast<std::uint32_t>(std::stoul(value)));
    } else if (type == "f32") {
        file.set(name, std::stof(value));
    } else if (type == "bool") {
        file.set(name, value == "1");
    } else if (type == "text") {
        file.set(name, value);
    } else if (type == "flags") {
        std::vector<bool> flags;
        for (const char c : value) flags.push_back(c == '1');
        file.set(name, flags);
    } else {
        throw pillar::UsageError(fmt::format("--key {}: no such type", text));
    }
}

} // namespace

int main(int argc, char** argv) {
    TinyModel model;
    std::string output;
    std::string type = "q4_0", output_type;
    std::vector<std::string> keys;
    bool untied = false;
    const std::map<std::string, RopeScaling> scalings = {{"none", RopeScaling::none},
                                                         {"linear", RopeScaling::linear},
                                                         {"yarn", RopeScaling::yarn},
                                                         {"llama3", RopeScaling::llama3},
                                                         {"longrope", RopeScaling::longrope}};
    CLI::App app{"Writes a small model with random weights."};
    app.add_option("--output", output, "file to write")->required();
    app.add_option("--architecture", model.architecture, "what the model computes")
        ->check(CLI::IsMember(pillar::support::tiny_architectures()))
        ->capture_default_str();
    app.add_option("--layers", model.n_layers, "layers")->capture_default_str();
    app.add_option("--dim", model.dim, "width of the residual stream")->capture_default_str();
    app.add_option("--heads", model.n_heads, "query heads")->capture_default_str();
    app.add_option("--kv-heads", model.n_kv_heads, "key-value heads")->capture_default_str();
    app.add_option("--head-dim", model.head_dim, "width of a head; 0: dim / heads")
        ->capture_default_str();
    app.add_option("--ffn", model.ffn, "width of the feed-forward layer")->capture_default_str();
    app.add_option("--experts", model.n_experts, "experts a layer, each as wide as --ffn; 0: none")
        ->capture_default_str();
    app.add_option("--experts-used", model.n_experts_used, "experts that a token goes through")
        ->capture_default_str();
    app.add_option("--vocab", model.vocab, "tokens, at least 320")->capture_default_str();
    app.add_option("--context", model.context, "context length")->capture_default_str();
    app.add_option("--rotary-dims", model.rotary_dims, "rotated dimensions of a head; 0: all")
        ->capture_default_str();
    app.add_option("--window", model.window, "positions that a window layer sees; 0: no key")
        ->capture_default_str();
    app.add_option("--window-pattern", model.window_pattern,
                   "the last of so many layers has no window; 0: no key")
        ->capture_default_str();
    app.add_option("--type,--types", type, "block format of all matrices, or mixed")
        ->capture_default_str();
    app.add_option("--output-type", output_type, "block format of embedding and output alone");
    app.add_option("--seed", model.seed, "seed of the weights")->capture_default_str();
    app.add_flag("--untied", untied, "an output matrix of its own");
    app.add_flag("--bpe", model.bpe, "byte-level BPE vocabulary instead of SentencePiece");
    app.add_option("--rope-scaling", model.rope_scaling, "none, linear, yarn, llama3 or longrope")
        ->transform(CLI::CheckedTransformer(scalings));
    app.add_option("--key", keys, "a metadata key besides, NAME=TYPE:VALUE; again for more");
    CLI11_PARSE(app, argc, argv);
    try {
        model.type = type_named(type);
        if (!output_type.empty()) model.output_type = type_named(output_type);
        model.tied = !untied;
        pillar::support::GgufBuilder file = pillar::support::build_tiny_model(model);
        for (const std::string& key : keys) set_key(file, key);
        pillar::support::write_file(output, file.bytes());
    } catch (const std::exception& error) {
        fmt::print(stderr, "make_tiny_model: {}\n", error.what());
        return 1;
    }
    return 0;
}
