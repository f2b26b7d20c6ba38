// A model as its readers see it: the first part's metadata, the tensors of all parts, found by
// name.

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/directory.hpp"

#include "read/file_part.hpp"
#include "read/split.hpp"

#include "pillar/core/hash.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <numeric>
#include <utility>

namespace pillar::gguf {

struct File::State {
    std::vector<FilePart> parts;
    std::vector<TensorInfo> tensors;
    std::vector<std::uint32_t> by_name; ///< indices of `tensors`, names ascending
    std::vector<std::string> warnings;
    std::uint64_t size_bytes = 0;
    std::uint64_t header_hash = hash_seed;

    void add_parts();
    void sort_names();
};

std::uint64_t TensorInfo::n_rows() const noexcept {
    if (shape.size() < 2) return 1;
    return std::accumulate(shape.begin() + 1, shape.end(), std::uint64_t{1}, std::multiplies<>());
}

bool TensorInfo::has_shape(std::uint64_t columns, std::uint64_t rows,
                           std::uint64_t matrices) const noexcept {
    const std::uint64_t wanted[] = {columns, rows, matrices};
    const auto dimension = [&](std::size_t i) { return i < shape.size() ? shape[i] : 1; };
    const auto expected = [&](std::size_t i) { return i < std::size(wanted) ? wanted[i] : 1; };
    for (std::size_t i = 0; i < std::max(shape.size(), std::size(wanted)); ++i)
        if (dimension(i) != expected(i)) return false;
    return true;
}

void File::State::add_parts() {
    for (std::uint32_t i = 0; i < parts.size(); ++i) {
        Directory& directory = parts[i].directory;
        for (TensorInfo& tensor : directory.tensors) {
            tensor.part = i;
            tensors.push_back(std::move(tensor));
        }
        directory.tensors.clear();
        std::ranges::move(directory.warnings, std::back_inserter(warnings));
        size_bytes += parts[i].size_bytes();
        const std::uint64_t facts[] = {directory.header_hash, parts[i].size_bytes()};
        header_hash = hash_of(std::span<const std::uint64_t>(facts), header_hash);
    }
}

void File::State::sort_names() {
    by_name.resize(tensors.size());
    std::iota(by_name.begin(), by_name.end(), 0u);
    std::ranges::sort(by_name, {},
                      [&](std::uint32_t i) { return std::string_view(tensors[i].name); });
    const auto twice = std::ranges::adjacent_find(
        by_name, {}, [&](std::uint32_t i) { return std::string_view(tensors[i].name); });
    if (twice == by_name.end()) return;
    const TensorInfo& tensor = tensors[*twice];
    const auto& other = parts[tensors[*std::next(twice)].part];
    throw FormatError(parts[tensor.part].path(),
                      fmt::format("tensor \"{}\"", printable(tensor.name)), std::nullopt,
                      fmt::format("this name stands in {} too", printable(other.path())));
}

File::File(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
    state_->parts = open_parts(path);
    state_->add_parts();
    state_->sort_names();
}

File::File(std::string name, Directory directory, ReadTensor read)
    : state_(std::make_unique<State>()) {
    state_->parts.emplace_back(std::move(name), std::move(directory), std::move(read));
    state_->add_parts();
    state_->sort_names();
}

File::~File() = default;
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;

const std::string& File::path() const noexcept {
    return state_->parts.front().path();
}

const Metadata& File::metadata() const noexcept {
    return state_->parts.front().directory.metadata;
}

const std::vector<TensorInfo>& File::tensors() const noexcept {
    return state_->tensors;
}

const TensorInfo* File::find_tensor(std::string_view name) const noexcept {
    const auto name_of_index = [&](std::uint32_t i) {
        return std::string_view(state_->tensors[i].name);
    };
    const auto place = std::ranges::lower_bound(state_->by_name, name, {}, name_of_index);
    if (place == state_->by_name.end() || name_of_index(*place) != name) return nullptr;
    return &state_->tensors[*place];
}

std::uint32_t File::version() const noexcept {
    return state_->parts.front().directory.version;
}
std::uint64_t File::size_bytes() const noexcept {
    return state_->size_bytes;
}
std::uint64_t File::header_hash() const noexcept {
    return state_->header_hash;
}
std::span<const std::string> File::warnings() const noexcept {
    return state_->warnings;
}

void File::read(const TensorInfo& tensor, std::uint64_t begin, std::span<std::byte> out) const {
    expects(begin <= tensor.size_bytes && out.size() <= tensor.size_bytes - begin,
            "a read lies within its tensor");
    state_->parts[tensor.part].read_tensor(tensor, begin, out);
}

void File::expect_unchanged() const {
    for (const FilePart& part : state_->parts) part.expect_unchanged();
}

void File::expect_unchanged(const TensorInfo& tensor) const {
    state_->parts[tensor.part].expect_unchanged();
}

FormatError File::error(const std::string& field, const std::string& problem) const {
    return {path(), field, std::nullopt, problem};
}

} // namespace pillar::gguf
