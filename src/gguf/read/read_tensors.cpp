// Reads the tensor directory and checks it: shape and size of each tensor by checked arithmetic,
// names by one sort, overlaps by another, so that no directory takes more than n log n steps.

#include "read_tensors.hpp"

#include "pillar/core/sizes.hpp"
#include "pillar/core/text.hpp"
#include "pillar/gguf/directory.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <numeric>
#include <optional>

namespace pillar::gguf {

namespace {

constexpr auto max_elements = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

std::string field_of(std::string_view name) {
    return fmt::format("tensor \"{}\"", printable(name));
}

/// Elements of the tensor, or nothing when they do not fit i64, which other readers count them in.
/// A zero among the dimensions does not excuse the others: products of some of them are taken
/// later.
std::optional<std::uint64_t> count_elements(const std::vector<std::uint64_t>& shape) {
    std::uint64_t n_elements = 1;
    for (const std::uint64_t dimension : shape) {
        const auto product = checked_mul(n_elements, std::max<std::uint64_t>(dimension, 1));
        if (!product || *product > max_elements) return std::nullopt;
        n_elements = *product;
    }
    return std::ranges::find(shape, 0u) == shape.end() ? n_elements : 0;
}

std::vector<std::uint64_t> read_shape(Cursor& cursor, const std::string& field) {
    const std::uint64_t start = cursor.position();
    const auto n_dimensions = cursor.read<std::uint32_t>(field);
    if (n_dimensions > max_dimensions)
        throw cursor.error(
            field, start,
            fmt::format("has {} dimensions; there are at most {}", n_dimensions, max_dimensions));
    std::vector<std::uint64_t> shape(n_dimensions);
    for (std::uint64_t& dimension : shape) {
        const std::uint64_t place = cursor.position();
        dimension = cursor.read<std::uint64_t>(field);
        if (dimension > max_elements)
            throw cursor.error(
                field, place,
                fmt::format("has a dimension of {}", static_cast<std::int64_t>(dimension)));
    }
    if (!count_elements(shape))
        throw cursor.error(
            field, start,
            fmt::format("has more elements than can be counted: {}", joined(shape, " x ")));
    return shape;
}

const quant::TypeInfo* read_tensor_type(Cursor& cursor, const std::string& field) {
    const std::uint64_t start = cursor.position();
    const auto number = cursor.read<std::uint32_t>(field);
    const quant::TypeInfo* type = quant::find_type(number);
    if (type == nullptr)
        throw cursor.error(field, start,
                           fmt::format("has unknown type {}; the file is newer than this program, "
                                       "or of a type that was given up",
                                       number));
    return type;
}

std::uint64_t size_of(const TensorInfo& tensor, const Cursor& cursor, const std::string& field,
                      std::uint64_t position) {
    const std::uint64_t n_elements = *count_elements(tensor.shape);
    const quant::TypeInfo& type = *tensor.type;
    if (tensor.n_columns() % type.block_weights != 0)
        throw cursor.error(field, position,
                           fmt::format("has rows of {} weights, no multiple of the {} in a block "
                                       "of {}",
                                       tensor.n_columns(), type.block_weights, type.name));
    const auto size = checked_mul<std::uint64_t>(n_elements / type.block_weights, type.block_bytes);
    if (!size)
        throw cursor.error(field, position,
                           fmt::format("has more bytes than can be counted: {} of type {}",
                                       joined(tensor.shape, " x "), type.name));
    return *size;
}

TensorInfo read_tensor(Cursor& cursor, std::uint64_t index) {
    const std::uint64_t start = cursor.position();
    TensorInfo tensor;
    tensor.name = cursor.text(max_tensor_name_bytes, fmt::format("name of tensor {}", index));
    const std::string field = field_of(tensor.name);
    tensor.shape = read_shape(cursor, field);
    tensor.type = read_tensor_type(cursor, field);
    tensor.offset = cursor.read<std::uint64_t>(field);
    tensor.size_bytes = size_of(tensor, cursor, field, start);
    return tensor;
}

/// Indices of `tensors` in ascending order of what `key` gives for each.
template <class Key>
std::vector<std::uint32_t> sorted_by(const std::vector<TensorInfo>& tensors, Key key) {
    std::vector<std::uint32_t> order(tensors.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return key(tensors[i]); });
    return order;
}

void refuse_equal_names(const Cursor& cursor, const std::vector<std::uint64_t>& positions,
                        const std::vector<TensorInfo>& tensors) {
    const auto order =
        sorted_by(tensors, [](const TensorInfo& tensor) { return std::string_view(tensor.name); });
    for (std::size_t i = 1; i < order.size(); ++i) {
        const std::string& name = tensors[order[i]].name;
        if (name == tensors[order[i - 1]].name)
            throw cursor.error(field_of(name), positions[std::max(order[i], order[i - 1])],
                               "this name stands in the file twice");
    }
}

/// Make one offset absolute and hold the extent against alignment and the end of the file.
void place(TensorInfo& tensor, const Directory& directory, const Cursor& cursor,
           std::uint64_t position) {
    const std::string field = field_of(tensor.name);
    if (tensor.offset % directory.alignment != 0)
        throw cursor.error(
            field, position,
            fmt::format("offset {} of the data is not a multiple of the alignment {}",
                        tensor.offset, directory.alignment));
    const auto begin = checked_add(directory.data_offset, tensor.offset);
    const auto end = begin ? checked_add(*begin, tensor.size_bytes) : std::nullopt;
    const auto padded_end =
        end ? checked_round_up<std::uint64_t>(*end, directory.alignment) : std::nullopt;
    if (!padded_end)
        throw cursor.error(field, position,
                           fmt::format("{} bytes of data from offset {} on end beyond any file",
                                       tensor.size_bytes, tensor.offset));
    if (*end > cursor.file_bytes() && tensor.size_bytes > 0)
        throw cursor.error(field, position,
                           fmt::format("data end at byte {} but the file has {} bytes; the file is "
                                       "truncated, download it again",
                                       *end, cursor.file_bytes()));
    tensor.offset = *begin;
}

/// Tensors may lie in any order but not on one another. Room that none uses is worth a warning.
void check_layout(const Cursor& cursor, const std::vector<std::uint64_t>& positions,
                  Directory& directory) {
    const auto order =
        sorted_by(directory.tensors, [](const TensorInfo& tensor) { return tensor.offset; });
    const TensorInfo* before = nullptr;
    std::uint64_t used_end = directory.data_offset;
    std::uint64_t unused = 0;
    for (const std::uint32_t i : order) {
        const TensorInfo& tensor = directory.tensors[i];
        if (tensor.size_bytes == 0) continue;
        if (before != nullptr && tensor.offset < before->offset + before->size_bytes)
            throw cursor.error(field_of(tensor.name), positions[i],
                               fmt::format("data begin at byte {}, inside those of {}",
                                           tensor.offset, field_of(before->name)));
        if (tensor.offset > used_end) unused += tensor.offset - used_end;
        const std::uint64_t end = tensor.offset + tensor.size_bytes;
        used_end = *checked_round_up<std::uint64_t>(end, directory.alignment);
        before = &tensor;
    }
    if (unused > 0)
        directory.warnings.push_back(
            fmt::format("{} bytes between the tensors' data are not used", unused));
    if (cursor.file_bytes() > used_end)
        directory.warnings.push_back(fmt::format("{} bytes after the last tensor are not used",
                                                 cursor.file_bytes() - used_end));
    else if (before != nullptr && cursor.file_bytes() < used_end)
        directory.warnings.emplace_back("the padding after the last tensor is missing");
}

} // namespace

std::vector<TensorInfo> read_tensors(Cursor& cursor, std::uint64_t n_tensors,
                                     std::vector<std::uint64_t>& positions) {
    std::vector<TensorInfo> tensors;
    tensors.reserve(n_tensors);
    positions.reserve(n_tensors);
    for (std::uint64_t i = 0; i < n_tensors; ++i) {
        positions.push_back(cursor.position());
        tensors.push_back(read_tensor(cursor, i));
    }
    refuse_equal_names(cursor, positions, tensors);
    return tensors;
}

void place_tensors(const Cursor& cursor, const std::vector<std::uint64_t>& positions,
                   Directory& directory) {
    for (std::size_t i = 0; i < directory.tensors.size(); ++i)
        place(directory.tensors[i], directory, cursor, positions[i]);
    check_layout(cursor, positions, directory);
}

} // namespace pillar::gguf
