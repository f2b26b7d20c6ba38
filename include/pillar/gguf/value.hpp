#pragma once
// Metadata of a GGUF file: typed values by key, kept in the order of the file. Accessors check type
// *and* range, so that a stranger's file cannot reach further than the line that reads the key.

#include "pillar/core/errors.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pillar::gguf {

/// Value types by their number in the file.
enum class ValueType : std::uint32_t {
    uint8 = 0,
    int8 = 1,
    uint16 = 2,
    int16 = 3,
    uint32 = 4,
    int32 = 5,
    float32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    uint64 = 10,
    int64 = 11,
    float64 = 12,
};
std::string_view name_of(ValueType type) noexcept;

/// Elements of an array, all of one type. Arrays of arrays are legal in a file; they are skipped
/// over and kept as `nested` (count only), since no key that pillar reads has one.
struct Nested {
    std::uint64_t count = 0;
};
struct Array {
    ValueType element = ValueType::uint8;
    std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>,
                 std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>, Nested>
        values;
    [[nodiscard]] std::size_t size() const noexcept;
};

struct Value {
    ValueType type = ValueType::uint32;
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
                 std::int32_t, float, bool, std::string, Array, std::uint64_t, std::int64_t, double>
        value;
    std::uint64_t offset = 0; ///< of the key's entry in the file, for errors
};

class Metadata {
  public:
    struct Entry {
        std::string key;
        Value value;
    };

    explicit Metadata(std::string file_name = {}) : file_(std::move(file_name)) {}

    /// Append; false when the key exists already.
    bool add(std::string key, Value value);
    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
    [[nodiscard]] const Value* find(std::string_view key) const noexcept;

    // Absent keys give nullopt (or `fallback`); a value of another type or out of range is a
    // FormatError.

    /// Any integer type, range-checked. A boolean is not an integer.
    [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view key, std::uint64_t lowest,
                                                       std::uint64_t highest) const;
    /// Float or integer, finite.
    [[nodiscard]] std::optional<double> number(std::string_view key) const;
    [[nodiscard]] std::optional<bool> boolean(std::string_view key) const;
    [[nodiscard]] const std::string* string(std::string_view key) const; ///< nullptr when absent
    [[nodiscard]] const std::vector<std::string>* strings(std::string_view key) const;
    [[nodiscard]] const std::vector<float>* floats(std::string_view key) const;
    /// Any integer array.
    [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view key) const;

    /// FormatError about `key` in this file, with its offset when it exists.
    [[nodiscard]] FormatError error(std::string_view key, const std::string& problem) const;

  private:
    std::string file_;
    std::vector<Entry> entries_;
    /// Places in entries_. A tree: no choice of keys makes it slow.
    std::map<std::string, std::size_t, std::less<>> index_;
};

} // namespace pillar::gguf
