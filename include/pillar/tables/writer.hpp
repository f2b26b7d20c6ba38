#pragma once
// Records as csv, json or jsonl: whole, or piece by piece as they come.

#include "pillar/tables/record.hpp"

#include <span>
#include <string>

namespace pillar::tables {

enum class Format { md, csv, json, jsonl };

/// When a field of csv stands in quotes (RFC 4180): where it must, or always, as llama-bench has
/// it.
enum class Quotes { where_needed, always };

/// Text that is no UTF-8 becomes U+FFFD; a number that is not finite is nothing. In csv records
/// within a record become columns ("decode_total_s"), lists are left out, and the first record
/// names the columns.
class RecordWriter {
  public:
    /// Not md, whose tables are made for people (markdown.hpp).
    explicit RecordWriter(Format format, Quotes quotes = Quotes::where_needed);
    [[nodiscard]] std::string header() const;
    [[nodiscard]] std::string record(const Record& record);
    [[nodiscard]] std::string footer() const;

  private:
    Format format_;
    Quotes quotes_;
    bool is_first_ = true;
};

/// All of them, from header to footer.
[[nodiscard]] std::string write(Format format, std::span<const Record> records,
                                Quotes quotes = Quotes::where_needed);

/// One as a JSON object over several lines, indented by two blanks.
[[nodiscard]] std::string json_text(const Record& record);

} // namespace pillar::tables
