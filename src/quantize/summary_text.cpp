#include "pillar/quantize/quantize.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <fmt/core.h>
#include <map>

namespace pillar::quantize {

namespace {

std::string shown_bytes(std::uint64_t bytes) {
    return human_bytes(static_cast<double>(bytes));
}

double bits_a_weight(std::uint64_t bytes, std::uint64_t n_weights) {
    return n_weights == 0 ? 0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(n_weights);
}

std::string list_of(const std::vector<Summary::Tensor>& tensors) {
    std::string text = fmt::format("{:<36} {:<20} {:<8} {:<8} {:>12} {:>12}\n", "tensor", "shape",
                                   "from", "to", "bytes before", "after");
    for (const Summary::Tensor& tensor : tensors)
        text += fmt::format("{:<36} {:<20} {:<8} {:<8} {:>12} {:>12}\n", printable(tensor.name),
                            fmt::format("[{}]", joined(tensor.shape, ", ")),
                            quant::info(tensor.from).name, quant::info(tensor.to).name,
                            tensor.bytes_before, tensor.bytes_after);
    return text;
}

} // namespace

std::string summary_text(const Summary& summary, bool with_tensors) {
    std::map<std::string_view, std::pair<std::size_t, std::uint64_t>> types;
    for (const Summary::Tensor& tensor : summary.tensors) {
        auto& [count, bytes] = types[quant::info(tensor.to).name];
        ++count;
        bytes += tensor.bytes_after;
    }
    std::string text = with_tensors ? list_of(summary.tensors) + "\n" : "";
    for (const std::string& output : summary.outputs) text += printable(output, 4096) + "\n";
    for (const auto& [name, count_bytes] : types)
        text += fmt::format("  {:<8} {}, {}\n", name, counted(count_bytes.first, "tensor"),
                            shown_bytes(count_bytes.second));
    text += fmt::format("  {} -> {}, {:.2f} -> {:.2f} bits a weight\n",
                        shown_bytes(summary.bytes_before), shown_bytes(summary.bytes_after),
                        bits_a_weight(summary.bytes_before, summary.n_weights),
                        bits_a_weight(summary.bytes_after, summary.n_weights));
    if (summary.n_fallbacks > 0)
        text += fmt::format("  {} in another format: the blocks of the one wanted do not divide "
                            "their rows\n",
                            counted(summary.n_fallbacks, "tensor"));
    return text;
}

} // namespace pillar::quantize
