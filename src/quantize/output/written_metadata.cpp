#include "output/written_metadata.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pillar::quantize {

namespace {

using enum gguf::ValueType;

/// Of ggml's block formats as they are now.
constexpr std::uint32_t quantization_version = 2;

gguf::Value u32(std::size_t value) {
    return {.type = uint32, .value = static_cast<std::uint32_t>(value)};
}
gguf::Value text(std::string value) {
    return {.type = string, .value = std::move(value)};
}

std::vector<gguf::Metadata::Entry> changes(const Options& options,
                                           const ColumnImportance& importance) {
    std::vector<gguf::Metadata::Entry> entries;
    entries.push_back({"general.quantization_version", u32(quantization_version)});
    entries.push_back({"general.file_type", u32(quant::info(options.mix).file_type)});
    if (importance.empty()) return entries;
    entries.push_back({"quantize.imatrix.file", text(options.importance)});
    if (!importance.datasets().empty())
        entries.push_back({"quantize.imatrix.dataset", text(importance.datasets().front())});
    entries.push_back({"quantize.imatrix.entries_count", u32(importance.n_entries())});
    if (importance.chunk_count() > 0)
        entries.push_back({"quantize.imatrix.chunks_count", u32(importance.chunk_count())});
    return entries;
}

/// Of a quantisation, or a split, that was before.
bool is_outdated(std::string_view key) {
    return key == "split.no" || key == "split.count" || key == "split.tensors.count" ||
           key.starts_with("quantize.imatrix.");
}

} // namespace

void add_metadata(gguf::Writer& writer, const gguf::Metadata& source, const Options& options,
                  const ColumnImportance& importance) {
    std::vector<gguf::Metadata::Entry> changed = changes(options, importance);
    for (const auto& [key, value] : source.entries()) {
        const auto change = std::ranges::find(changed, key, &gguf::Metadata::Entry::key);
        if (change != changed.end()) {
            writer.add(key, std::move(change->value));
            changed.erase(change);
        } else if (!is_outdated(key)) {
            writer.add(key, value);
        }
    }
    for (auto& [key, value] : changed) writer.add(std::move(key), std::move(value));
}

void add_split(gguf::Writer& writer, std::size_t part, std::size_t n_parts, std::size_t n_tensors) {
    writer.add("split.no", {.type = uint16, .value = static_cast<std::uint16_t>(part)});
    writer.add("split.count", {.type = uint16, .value = static_cast<std::uint16_t>(n_parts)});
    writer.add("split.tensors.count",
               {.type = int32, .value = static_cast<std::int32_t>(n_tensors)});
}

} // namespace pillar::quantize
