#include "dat_file.hpp"

#include "checked_sums.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/gguf/file.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/core.h>
#include <span>
#include <utility>

namespace pillar::importance {

namespace {

/// Values are read a piece at a time: a number of values that the file does not have asks for no
/// more memory than it does.
constexpr std::size_t piece_values = 1 << 16;

class DatReader {
  public:
    DatReader(std::FILE* file, const std::string& path) : file_(file), path_(path) {
        if (std::fseek(file, 0, SEEK_SET) != 0) throw IoError::from_errno(path, "read", errno);
    }

    /// False at the end of the file.
    template <class T>
    bool get(std::span<T> values) {
        const std::size_t n = std::fread(values.data(), sizeof(T), values.size(), file_);
        if (n < values.size() && std::ferror(file_) != 0)
            throw IoError::from_errno(path_, "read", errno);
        offset_ += values.size_bytes();
        return n == values.size();
    }

    std::int32_t number(const char* field, std::int32_t lowest, std::int32_t highest) {
        std::int32_t value = 0;
        const std::uint64_t offset = offset_;
        if (!get(std::span(&value, 1)))
            throw FormatError(path_, field, offset, "is not there: the file is cut off");
        if (value < lowest || value > highest)
            throw FormatError(path_, field, offset,
                              fmt::format("is {}: this is no importance matrix, neither of the "
                                          "GGUF layout nor of the old one",
                                          value));
        return value;
    }

    std::string text(const char* field, std::int32_t length) {
        std::string text(static_cast<std::size_t>(length), '\0');
        const std::uint64_t offset = offset_;
        if (!get(std::span(text)))
            throw FormatError(path_, field, offset, "is cut off with the file");
        return text;
    }

    std::vector<float> values(const std::string& name, std::size_t n) {
        std::vector<float> values;
        while (values.size() < n) {
            const std::size_t begin = values.size();
            values.resize(begin + std::min(n - begin, piece_values));
            const std::uint64_t offset = offset_;
            if (!get(std::span(values).subspan(begin)))
                throw FormatError(path_, fmt::format("\"{}\"", printable(name)), offset,
                                  fmt::format("its {} values are cut off with the file", n));
        }
        return values;
    }

  private:
    std::FILE* file_;
    const std::string& path_;
    std::uint64_t offset_ = 0;
};

constexpr std::int32_t highest_number = 0x7fffffff;
constexpr auto longest_name = static_cast<std::int32_t>(gguf::max_tensor_name_bytes);
constexpr std::int32_t longest_dataset = 65'535;

} // namespace

Matrix read_dat(std::FILE* file, const std::string& path) {
    DatReader reader(file, path);
    Matrix matrix;
    const std::int32_t n_entries = reader.number("number of entries", 1, gguf::max_tensors);
    for (std::int32_t i = 0; i < n_entries; ++i) {
        const std::int32_t length = reader.number("length of a name", 1, longest_name);
        const std::string name = reader.text("name", length);
        const std::int32_t n_calls = reader.number("calls", 0, highest_number);
        const std::int32_t n_values = reader.number("number of values", 1, highest_number);
        Entry entry;
        entry.sums = reader.values(name, static_cast<std::size_t>(n_values));
        entry.counts = {static_cast<std::uint64_t>(std::max(n_calls, 1))};
        expect_sums(entry.sums, path, name);
        if (!matrix.tensors.emplace(name, std::move(entry)).second)
            throw FormatError(path, fmt::format("\"{}\"", printable(name)), std::nullopt,
                              "stands there twice");
    }
    std::int32_t n_chunks = 0;
    if (!reader.get(std::span(&n_chunks, 1))) return matrix; // files from before 2024 end here
    matrix.chunk_count = static_cast<std::uint32_t>(std::max(n_chunks, 0));
    const std::int32_t length = reader.number("length of the text's name", 0, longest_dataset);
    if (length > 0) matrix.datasets.push_back(reader.text("name of the text", length));
    return matrix;
}

} // namespace pillar::importance
