#include "gguf_file.hpp"

#include "checked_sums.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/gguf/writer.hpp"

#include <fmt/core.h>
#include <limits>
#include <string_view>
#include <utility>

namespace pillar::importance {

namespace {

constexpr std::string_view sums_suffix = ".in_sum2";
constexpr std::string_view counts_suffix = ".counts";
constexpr std::string_view datasets_key = "imatrix.datasets";
constexpr std::string_view chunk_count_key = "imatrix.chunk_count";
constexpr std::string_view chunk_size_key = "imatrix.chunk_size";

std::vector<float> values_of(const gguf::File& file, const gguf::TensorInfo& tensor) {
    if (tensor.type != &quant::info(quant::Type::f32))
        throw file.error(fmt::format("tensor \"{}\"", printable(tensor.name)),
                         fmt::format("is {}, not f32", tensor.type->name));
    std::vector<float> values(tensor.n_elements());
    file.read(tensor, 0, std::as_writable_bytes(std::span(values)));
    return values;
}

std::vector<std::uint64_t> counts_of(const gguf::File& file, const gguf::TensorInfo& tensor) {
    constexpr float most = 9e18f;
    std::vector<std::uint64_t> counts;
    for (const float value : values_of(file, tensor)) {
        if (!(value >= 0.0f && value < most))
            throw file.error(fmt::format("tensor \"{}\"", printable(tensor.name)),
                             fmt::format("holds {}, which is no count", value));
        counts.push_back(static_cast<std::uint64_t>(value + 0.5f)); // as llama.cpp rounds
    }
    return counts;
}

Entry entry_of(const gguf::File& file, const gguf::TensorInfo& sums, const std::string& name) {
    const std::string counts_name = name + std::string(counts_suffix);
    const gguf::TensorInfo* counts = file.find_tensor(counts_name);
    if (counts == nullptr)
        throw file.error(fmt::format("tensor \"{}\"", printable(counts_name)),
                         fmt::format("is missing beside \"{}\"", printable(sums.name)));
    Entry entry{.sums = values_of(file, sums), .counts = counts_of(file, *counts)};
    if (entry.sums.empty() || entry.counts.empty() || entry.sums.size() % entry.counts.size() != 0)
        throw file.error(
            fmt::format("tensor \"{}\"", printable(sums.name)),
            fmt::format("has {} values for {} counts", entry.sums.size(), entry.counts.size()));
    expect_sums(entry.sums, file.path(), name);
    return entry;
}

template <class T>
gguf::Value scalar(gguf::ValueType type, T value) {
    return {.type = type, .value = std::move(value)};
}

void declare(gguf::Writer& writer, const std::string& name, std::string_view suffix,
             std::uint64_t n_columns, std::uint64_t n_rows, const std::string& path) {
    const std::string full = name + std::string(suffix);
    if (full.size() > gguf::max_tensor_name_bytes)
        throw FormatError(path, fmt::format("tensor \"{}\"", printable(name)), std::nullopt,
                          fmt::format("its name is too long for an importance matrix: with {} "
                                      "there are more than {} bytes",
                                      suffix, gguf::max_tensor_name_bytes));
    writer.declare(full, quant::Type::f32, {n_columns, n_rows});
}

} // namespace

Matrix read_gguf(const std::filesystem::path& path) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    const gguf::File file(path);
    const gguf::Metadata& metadata = file.metadata();
    Matrix matrix;
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        if (!tensor.name.ends_with(sums_suffix)) continue; // later writers add statistics
        const std::string name = tensor.name.substr(0, tensor.name.size() - sums_suffix.size());
        matrix.tensors.emplace(name, entry_of(file, tensor, name));
    }
    if (matrix.tensors.empty())
        throw file.error("tensors",
                         "none is named NAME.in_sum2: this file is no importance matrix");
    if (const auto* datasets = metadata.strings(datasets_key)) matrix.datasets = *datasets;
    const auto number = [&](std::string_view key) {
        return static_cast<std::uint32_t>(metadata.integer(key, 0, most).value_or(0));
    };
    matrix.chunk_count = number(chunk_count_key);
    matrix.chunk_size = number(chunk_size_key);
    file.expect_unchanged();
    return matrix;
}

void write(const Matrix& matrix, const std::filesystem::path& path) {
    using enum gguf::ValueType;
    gguf::Writer writer(path);
    writer.add("general.type", scalar(string, std::string("imatrix")));
    writer.add(std::string(datasets_key),
               scalar(array, gguf::Array{.element = string, .values = matrix.datasets}));
    writer.add(std::string(chunk_count_key), scalar(uint32, matrix.chunk_count));
    writer.add(std::string(chunk_size_key), scalar(uint32, matrix.chunk_size));
    for (const auto& [name, entry] : matrix.tensors) {
        expects(!entry.counts.empty() && entry.sums.size() % entry.counts.size() == 0,
                "counts share the sums equally");
        declare(writer, name, sums_suffix, entry.n_columns(), entry.counts.size(), path.string());
        declare(writer, name, counts_suffix, 1, entry.counts.size(), path.string());
    }
    for (const auto& [name, entry] : matrix.tensors) {
        const std::vector<float> counts(entry.counts.begin(), entry.counts.end());
        writer.write(std::as_bytes(std::span(entry.sums)));
        writer.write(std::as_bytes(std::span(counts)));
    }
    writer.close();
}

} // namespace pillar::importance
