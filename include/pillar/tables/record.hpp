#pragma once
// A result as programs read it: named, typed values in order. Names end with their unit
// ("min_s", "bytes_sent"); what was not measured is nothing (null, an empty field).

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pillar::tables {

class Value;
struct Field;
using List = std::vector<Value>;

class Record {
  public:
    Record() = default;
    Record(std::initializer_list<Field> fields);

    /// Append, or replace what has that name.
    void set(std::string_view name, Value value);
    /// expects() that there is one of that name.
    [[nodiscard]] const Value& operator[](std::string_view name) const;
    [[nodiscard]] const Value* find(std::string_view name) const noexcept;
    [[nodiscard]] const std::vector<Field>& fields() const noexcept { return fields_; }

  private:
    std::vector<Field> fields_;
};

class Value {
  public:
    using Content = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                                 std::string, List, Record>;

    Value() = default;
    Value(std::nullopt_t) {}
    Value(bool value) : content_(value) {}
    template <std::signed_integral T>
    Value(T value) : content_(std::int64_t{value}) {}
    template <std::unsigned_integral T>
    Value(T value) : content_(std::uint64_t{value}) {}
    Value(double value) : content_(value) {}
    Value(std::string value) : content_(std::move(value)) {}
    Value(std::string_view value) : content_(std::string(value)) {}
    Value(const char* value) : content_(std::string(value)) {}
    Value(List values) : content_(std::move(values)) {}
    Value(Record record) : content_(std::move(record)) {}
    template <class T>
    Value(const std::optional<T>& value) {
        if (value) *this = Value(*value);
    }
    template <class T>
    Value(const std::vector<T>& values) : content_(List(values.begin(), values.end())) {}

    [[nodiscard]] const Content& content() const noexcept { return content_; }
    [[nodiscard]] bool is_nothing() const noexcept { return content_.index() == 0; }
    /// Of any number; throws Error(internal) where it is none.
    [[nodiscard]] double number() const;
    /// As a field of a table: numbers in full, nothing and what is not finite as "". Throws
    /// Error(internal) for a list or a record.
    [[nodiscard]] std::string text() const;

  private:
    Content content_;
};

struct Field {
    std::string name;
    Value value;
};

} // namespace pillar::tables
