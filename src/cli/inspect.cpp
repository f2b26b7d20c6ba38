// inspect: what a GGUF file says about itself: metadata, tensors, tokenizer.

#include "options.hpp"
#include "progress.hpp"
#include "subcommands.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/gguf/file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <memory>

namespace pillar::cli {

namespace {

struct InspectOptions {
    std::string model;
    bool tensors = true;
    std::size_t max_items = 6;
};

template <class T>
std::string first_items(const std::vector<T>& values, std::size_t n) {
    std::string text;
    for (std::size_t i = 0; i < std::min(n, values.size()); ++i) {
        if (i > 0) text += ", ";
        if constexpr (std::is_same_v<T, std::string>)
            text += fmt::format("\"{}\"", printable(values[i], 40));
        else if constexpr (std::is_same_v<T, bool>)
            text += values[i] ? "true" : "false";
        else
            text += fmt::format("{}", values[i]);
    }
    return text + (values.size() > n ? ", ..." : "");
}

std::string describe(const gguf::Array& array, std::size_t n) {
    const std::string items = std::visit(
        [n](const auto& values) -> std::string {
            if constexpr (std::is_same_v<std::decay_t<decltype(values)>, gguf::Nested>)
                return "...";
            else
                return first_items(values, n);
        },
        array.values);
    return fmt::format("[{}]  ({} {})", items, array.size(), gguf::name_of(array.element));
}

std::string describe(const gguf::Value& value, std::size_t n) {
    return std::visit(
        [n](const auto& content) -> std::string {
            using Content = std::decay_t<decltype(content)>;
            if constexpr (std::is_same_v<Content, gguf::Array>)
                return describe(content, n);
            else if constexpr (std::is_same_v<Content, std::string>)
                return fmt::format("\"{}\"", printable(content));
            else if constexpr (std::is_same_v<Content, bool>)
                return content ? "true" : "false";
            else
                return fmt::format("{}", content);
        },
        value.value);
}

void print_summary(const gguf::File& file) {
    std::uint64_t n_parameters = 0, n_bytes = 0;
    std::map<std::string_view, std::pair<std::size_t, std::uint64_t>> types;
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        n_parameters += tensor.n_elements();
        n_bytes += tensor.size_bytes;
        auto& [count, bytes] = types[tensor.type->name];
        ++count;
        bytes += tensor.size_bytes;
    }
    fmt::print("file          {} (GGUF version {}, {})\n", printable(file.path(), 4096),
               file.version(), human_bytes(static_cast<double>(file.size_bytes())));
    fmt::print("parameters    {} in {} tensors\n", n_parameters, file.tensors().size());
    if (n_parameters > 0)
        fmt::print("tensor data   {} ({:.2f} bits per weight)\n",
                   human_bytes(static_cast<double>(n_bytes)),
                   8.0 * static_cast<double>(n_bytes) / static_cast<double>(n_parameters));
    for (const auto& [name, count_bytes] : types)
        fmt::print("  {:<10}  {:>4} tensors, {}{}\n", name, count_bytes.first,
                   human_bytes(static_cast<double>(count_bytes.second)), "");
}

int inspect(const InspectOptions& options) {
    const gguf::File file(options.model);
    if (!prints()) return 0;
    for (const std::string& warning : file.warnings()) fmt::print(stderr, "warning: {}\n", warning);
    print_summary(file);
    fmt::print("\nmetadata\n");
    for (const auto& entry : file.metadata().entries())
        fmt::print("  {:<44} {:<8} {}\n", printable(entry.key), gguf::name_of(entry.value.type),
                   describe(entry.value, options.max_items));
    if (!options.tensors) return 0;
    fmt::print("\ntensors\n  {:<32} {:<8} {:<20} {:>14} {:>14}\n", "name", "type", "shape",
               "offset", "bytes");
    for (const gguf::TensorInfo& tensor : file.tensors())
        fmt::print("  {:<32} {:<8} {:<20} {:>14} {:>14}\n", printable(tensor.name),
                   tensor.type->name, fmt::format("[{}]", fmt::join(tensor.shape, ", ")),
                   tensor.offset, tensor.size_bytes);
    return 0;
}

} // namespace

void add_inspect(CLI::App& app, Command& command) {
    auto options = std::make_shared<InspectOptions>();
    CLI::App* sub = app.add_subcommand("inspect", "print a model's metadata and tensors");
    add_model_file(*sub, options->model);
    sub->add_flag("--tensors,!--no-tensors", options->tensors, "list the tensors (default: yes)");
    sub->add_option("--items", options->max_items, "items of an array to print")
        ->capture_default_str();
    sub->callback(
        [options, &command] { command.run_alone = [options] { return inspect(*options); }; });
}

} // namespace pillar::cli
