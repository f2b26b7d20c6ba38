// Every group of the file as a table, by what the file says of itself: columns that this pillar
// does not know are there too. A column over two dimensions (steps × ranks) is written with a row
// for each pair. RFC 4180; enumerations by their words; what is not known is empty.

#include "pillar/exports/exports.hpp"
#include "text_file.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/storage/reader.hpp"
#include "pillar/trace/reader.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/core.h>
#include <sstream>
#include <variant>

namespace pillar::exports {

namespace {

std::string field(std::string_view text) {
    if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
    return quoted + "\"";
}

std::string value_field(const storage::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return field(*text);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
    const double number = std::get<double>(value);
    return std::isnan(number) ? "" : fmt::format("{}", number);
}

class CsvColumn {
  public:
    CsvColumn(const storage::Reader& file, const std::string& group, const std::string& column)
        : name(column) {
        const std::string path = group + "/" + column;
        shape = file.shape(path);
        for (unsigned i = 0; i < shape.size(); ++i) dimensions.push_back(file.dimension(path, i));
        const auto type = file.type(path);
        if (!type) {
            values_ = file.texts(path);
        } else if (*type == storage::Type::f32) {
            values_ = file.column<float>(path);
        } else if (*type == storage::Type::f64) {
            values_ = file.column<double>(path);
        } else if (*type == storage::Type::i32 || *type == storage::Type::i64) {
            values_ = file.column<std::int64_t>(path);
        } else {
            values_ = file.column<std::uint64_t>(path);
        }
        const auto words = file.attribute(path, "flag_meanings");
        if (words && std::holds_alternative<std::string>(*words)) {
            std::istringstream text(std::get<std::string>(*words));
            for (std::string word; text >> word;) words_.push_back(word);
        }
    }
    [[nodiscard]] std::string at(std::size_t index) const {
        return std::visit(
            [&](const auto& values) -> std::string {
                using T = typename std::decay_t<decltype(values)>::value_type;
                const T& value = values.at(index);
                if constexpr (std::is_same_v<T, std::string>) {
                    return field(std::string_view(value));
                } else if constexpr (std::is_floating_point_v<T>) {
                    return std::isnan(value) ? "" : fmt::format("{}", value);
                } else {
                    const auto word = static_cast<std::size_t>(value);
                    return word < words_.size() ? words_[word] : fmt::format("{}", value);
                }
            },
            values_);
    }

    std::string name;
    std::vector<std::size_t> shape;
    std::vector<std::string> dimensions; ///< names of the scales

  private:
    std::variant<std::vector<std::string>, std::vector<float>, std::vector<double>,
                 std::vector<std::int64_t>, std::vector<std::uint64_t>>
        values_;
    std::vector<std::string> words_;
};

/// A group's columns, those that name rows first.
class CsvTable {
  public:
    CsvTable(const storage::Reader& file, const std::string& path, const std::string& group) {
        for (const std::string& name : file.members(group))
            columns_.emplace_back(file, group, name);
        std::ranges::stable_partition(columns_, [](const CsvColumn& column) {
            return column.shape.size() == 1 && column.dimensions[0] == column.name;
        });
        for (const CsvColumn& column : columns_)
            if (column.shape.size() == 2 && columns_of_rows_ == nullptr) columns_of_rows_ = &column;
        for (const CsvColumn& column : columns_) {
            const bool fits =
                columns_of_rows_ == nullptr
                    ? column.shape == columns_.front().shape && column.shape.size() == 1
                    : column.shape == columns_of_rows_->shape ||
                          (column.shape.size() == 1 &&
                           column.shape[0] == columns_of_rows_->shape[axis_of(column)]);
            if (!fits)
                throw FormatError(path, group + "/" + column.name, std::nullopt,
                                  "has other extents than the columns beside it");
        }
    }

    void write(TextFile& file) const {
        std::string line;
        for (const CsvColumn& column : columns_) line += (line.empty() ? "" : ",") + column.name;
        file.write(line + "\n");
        if (columns_.empty()) return;
        const std::size_t n_rows =
            columns_of_rows_ == nullptr ? columns_.front().shape[0] : columns_of_rows_->shape[0];
        const std::size_t width = columns_of_rows_ == nullptr ? 1 : columns_of_rows_->shape[1];
        for (std::size_t row = 0; row < n_rows; ++row) {
            for (std::size_t across = 0; across < width; ++across) {
                line.clear();
                for (const CsvColumn& column : columns_) {
                    if (&column != &columns_.front()) line += ',';
                    line += column.at(column.shape.size() == 2 ? row * width + across
                                      : axis_of(column) == 0   ? row
                                                               : across);
                }
                file.write(line += '\n');
            }
        }
    }

  private:
    /// Whether a column of one dimension lies along the rows (0) or across them (1).
    [[nodiscard]] std::size_t axis_of(const CsvColumn& column) const {
        return columns_of_rows_ != nullptr && column.shape.size() == 1 &&
                       column.dimensions[0] != columns_of_rows_->dimensions[0]
                   ? 1
                   : 0;
    }

    std::vector<CsvColumn> columns_;
    const CsvColumn* columns_of_rows_ = nullptr; ///< one over two dimensions; none: all have one
};

void write_attributes(const storage::Reader& trace, const char* group, const std::string& path) {
    TextFile file(path);
    file.write("name,value\n");
    for (const storage::NamedValue& entry : trace.attributes(group))
        file.write(field(entry.name) + "," + value_field(entry.value) + "\n");
    file.commit();
}

} // namespace

void export_csv(const std::string& path, const std::string& folder, bool force) {
    (void)trace::read_configuration(path); // refuses what is no trace of ours
    const storage::Reader trace(path);
    const std::vector<std::string> groups = trace.members("/");
    const auto file_of = [&](const std::string& table) {
        return (std::filesystem::path(folder) / (table + ".csv")).string();
    };
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    if (problem)
        throw IoError(ExitCode::cannot_create, folder, "cannot create: " + problem.message());
    expect_output(file_of("trace"), force, std::span(&path, 1));
    for (const std::string& group : groups)
        expect_output(file_of(group), force, std::span(&path, 1));
    write_attributes(trace, "/", file_of("trace"));
    for (const std::string& group : groups) {
        if (group == "config") {
            write_attributes(trace, "/config", file_of(group));
            continue;
        }
        const CsvTable table(trace, path, "/" + group);
        TextFile file(file_of(group));
        table.write(file);
        file.commit();
    }
}

} // namespace pillar::exports
