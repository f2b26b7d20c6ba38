#include "pillar/inspect/file_text.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <map>
#include <type_traits>
#include <variant>

namespace pillar::inspect {

namespace {

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

std::string summary_of(const gguf::File& file) {
    std::string text;
    std::uint64_t n_parameters = 0, n_bytes = 0;
    std::map<std::string_view, std::pair<std::size_t, std::uint64_t>> types;
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        n_parameters += tensor.n_elements();
        n_bytes += tensor.size_bytes;
        auto& [count, bytes] = types[tensor.type->name];
        ++count;
        bytes += tensor.size_bytes;
    }
    text += fmt::format("file          {} (GGUF version {}, {})\n", printable(file.path(), 4096),
                        file.version(), human_bytes(static_cast<double>(file.size_bytes())));
    text += fmt::format("parameters    {} in {} tensors\n", n_parameters, file.tensors().size());
    if (n_parameters > 0)
        text += fmt::format("tensor data   {} ({:.2f} bits per weight)\n",
                            human_bytes(static_cast<double>(n_bytes)),
                            8.0 * static_cast<double>(n_bytes) / static_cast<double>(n_parameters));
    for (const auto& [name, count_bytes] : types)
        text += fmt::format("  {:<10}  {:>4} tensors, {}{}\n", name, count_bytes.first,
                            human_bytes(static_cast<double>(count_bytes.second)), "");
    return text;
}

std::string tensors_of(const gguf::File& file) {
    std::string text = fmt::format("\ntensors\n  {:<32} {:<8} {:<20} {:>14} {:>14}\n", "name",
                                   "type", "shape", "offset", "bytes");
    for (const gguf::TensorInfo& tensor : file.tensors())
        text += fmt::format("  {:<32} {:<8} {:<20} {:>14} {:>14}\n", printable(tensor.name),
                            tensor.type->name, fmt::format("[{}]", joined(tensor.shape, ", ")),
                            tensor.offset, tensor.size_bytes);
    return text;
}

} // namespace

std::string file_text(const gguf::File& file, bool with_tensors, std::size_t max_items) {
    std::string text = summary_of(file) + "\nmetadata\n";
    for (const auto& entry : file.metadata().entries())
        text += fmt::format("  {:<44} {:<8} {}\n", printable(entry.key),
                            gguf::name_of(entry.value.type), describe(entry.value, max_items));
    if (with_tensors) text += tensors_of(file);
    return text;
}

} // namespace pillar::inspect
