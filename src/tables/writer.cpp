#include "pillar/tables/writer.hpp"

#include "json.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/utf8.hpp"

#include <utility>

namespace pillar::tables {

namespace {

std::string csv_field(const std::string& text, Quotes quotes) {
    if (quotes == Quotes::where_needed && text.find_first_of(",\"\n\r") == std::string::npos)
        return text;
    std::string quoted = "\"";
    for (const char c : text) c == '"' ? quoted.append("\"\"") : quoted.append(1, c);
    return quoted + "\"";
}

struct CsvLines {
    std::string names;
    std::string values;
};

void add_columns(CsvLines& lines, const std::string& prefix, const Record& record, Quotes quotes) {
    for (const Field& field : record.fields()) {
        if (std::holds_alternative<List>(field.value.content())) continue;
        const std::string name = prefix + field.name;
        if (const auto* inner = std::get_if<Record>(&field.value.content())) {
            add_columns(lines, name + "_", *inner, quotes);
            continue;
        }
        const char* const comma = lines.names.empty() ? "" : ",";
        lines.names += comma + name;
        lines.values += comma + csv_field(to_valid_utf8(field.value.text()), quotes);
    }
}

} // namespace

RecordWriter::RecordWriter(Format format, Quotes quotes) : format_(format), quotes_(quotes) {
    expects(format != Format::md, "records are written as csv, json or jsonl");
}

std::string RecordWriter::header() const {
    return format_ == Format::json ? "[\n" : "";
}

std::string RecordWriter::record(const Record& record) {
    const bool is_first = std::exchange(is_first_, false);
    if (format_ == Format::jsonl) return to_json(record, -1) + "\n";
    if (format_ == Format::json) return (is_first ? "" : ",\n") + to_json(record, 2);
    CsvLines lines;
    add_columns(lines, "", record, quotes_);
    return (is_first ? lines.names + "\n" : "") + lines.values + "\n";
}

std::string RecordWriter::footer() const {
    return format_ == Format::json ? "\n]\n" : "";
}

std::string write(Format format, std::span<const Record> records, Quotes quotes) {
    RecordWriter writer(format, quotes);
    std::string text = writer.header();
    for (const Record& record : records) text += writer.record(record);
    return text + writer.footer();
}

std::string json_text(const Record& record) {
    return to_json(record, 2) + "\n";
}

} // namespace pillar::tables
