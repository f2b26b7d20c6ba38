// Finds the other parts of a split model by name and holds what the parts say of themselves against
// each other.

#include "split.hpp"

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/core.h>
#include <optional>
#include <string>
#include <utility>

namespace pillar::gguf {

namespace {

constexpr std::size_t n_digits = 5;

/// "model-00002-of-00003.gguf": everything before the number, and the two numbers.
struct PartName {
    std::string stem;
    std::uint64_t number; ///< from 1
    std::uint64_t count;
};

std::optional<std::uint64_t> five_digits(std::string_view text) {
    if (text.size() != n_digits ||
        !std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; }))
        return std::nullopt;
    return std::stoull(std::string(text));
}

std::optional<PartName> split_name(const std::string& file_name) {
    const std::string pattern = "-00000-of-00000.gguf";
    if (file_name.size() <= pattern.size()) return std::nullopt;
    const std::size_t stem = file_name.size() - pattern.size();
    const std::string_view tail = std::string_view(file_name).substr(stem);
    if (tail.front() != '-' || tail.substr(1 + n_digits, 4) != "-of-" ||
        tail.substr(pattern.size() - 5) != ".gguf")
        return std::nullopt;
    const auto number = five_digits(tail.substr(1, n_digits));
    const auto count = five_digits(tail.substr(5 + n_digits, n_digits));
    if (!number || !count) return std::nullopt;
    return PartName{file_name.substr(0, stem), *number, *count};
}

std::filesystem::path part_path(const std::filesystem::path& path, const PartName& name,
                                std::uint64_t number) {
    return path.parent_path() /
           fmt::format("{}-{:05}-of-{:05}.gguf", name.stem, number, name.count);
}

std::uint64_t parts_of(const FilePart& part) {
    return part.directory.metadata.integer("split.count", 0, max_parts).value_or(1);
}

/// Open part `number` of the model, or say that this very part is missing.
FilePart open_part(const std::filesystem::path& path, std::uint64_t number, std::uint64_t count) {
    try {
        return FilePart(path);
    } catch (const IoError& failure) {
        if (failure.code() != ExitCode::no_input) throw;
        throw IoError(ExitCode::no_input, path.string(),
                      fmt::format("is missing: it should be part {} of the {} of this model; all "
                                  "parts must lie in one folder",
                                  number, count));
    }
}

void check_part(const FilePart& part, std::size_t index, std::uint64_t count,
                std::optional<std::uint64_t> n_tensors) {
    const Metadata& metadata = part.directory.metadata;
    const auto number = metadata.integer("split.no", 0, max_parts);
    if (number != index)
        throw metadata.error("split.no",
                             number ? fmt::format("is {}, but by its name the file is part {} of "
                                                  "{} (counted from 0)",
                                                  *number, index, count)
                                    : "is absent from a part of a split model");
    if (parts_of(part) != count)
        throw metadata.error("split.count",
                             fmt::format("is {}, but {} in the first part", parts_of(part), count));
    const auto said = metadata.integer("split.tensors.count", 0, max_tensors);
    if (said && n_tensors && said != n_tensors)
        throw metadata.error("split.tensors.count",
                             fmt::format("is {}, but {} in the first part", *said, *n_tensors));
}

void check_parts(const std::vector<FilePart>& parts) {
    const Metadata& first = parts.front().directory.metadata;
    const auto said = first.integer("split.tensors.count", 0, max_tensors);
    std::uint64_t n_tensors = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        check_part(parts[i], i, parts.size(), said);
        n_tensors += parts[i].directory.tensors.size();
    }
    if (said && *said != n_tensors)
        throw first.error("split.tensors.count",
                          fmt::format("is {}, but the {} parts have {} tensors; they do not belong "
                                      "together, download them again",
                                      *said, parts.size(), n_tensors));
}

} // namespace

std::vector<std::string> files_of_model(const std::filesystem::path& path) {
    std::vector<std::string> files{path.string()};
    const auto name = split_name(path.filename().string());
    if (!name || name->count > max_parts) return files;
    for (std::uint64_t i = 1; i <= name->count; ++i)
        files.push_back(part_path(path, *name, i).string());
    return files;
}

std::vector<FilePart> open_parts(const std::filesystem::path& path) {
    std::vector<FilePart> parts;
    FilePart given(path);
    const std::uint64_t count = parts_of(given);
    const auto name = split_name(path.filename().string());
    if (count <= 1) {
        if (name && name->count > 1)
            given.directory.warnings.push_back(
                fmt::format("the name says part {} of {}, but the file holds a whole model",
                            name->number, name->count));
        parts.push_back(std::move(given));
        return parts;
    }
    if (!name || name->count != count || name->number < 1 || name->number > count)
        throw given.directory.metadata.error(
            "split.count", fmt::format("is {}, but the file's name does not end in the number of a "
                                       "part of so many (-00001-of-{:05}.gguf)",
                                       count, count));
    parts.reserve(count);
    for (std::uint64_t i = 1; i <= count; ++i) {
        parts.push_back(i == name->number ? std::move(given)
                                          : open_part(part_path(path, *name, i), i, count));
    }
    check_parts(parts);
    return parts;
}

} // namespace pillar::gguf
