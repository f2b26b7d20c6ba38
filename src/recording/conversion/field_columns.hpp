#pragma once
// Columns of a table, made and filled by its fields.

#include "table.hpp"

#include "pillar/trace/fields.hpp"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace pillar::recording {

template <class Row>
class FieldColumns {
  public:
    /// (rows); the table has its dimension.
    FieldColumns(Table& table, std::span<const trace::Field<Row>> fields) {
        for (const trace::Field<Row>& field : fields)
            make(field, [&]<class T>(T /*example*/) -> storage::Column& {
                return table.column<T>(field.name, field.description());
            });
    }
    /// (rows, width), labelled with `second` across.
    FieldColumns(Table& table, std::span<const trace::Field<Row>> fields,
                 const storage::Column& second, std::size_t width) {
        for (const trace::Field<Row>& field : fields)
            make(field, [&]<class T>(T /*example*/) -> storage::Column& {
                return table.column<T>(field.name, field.description(), second, width);
            });
    }

    /// One row of the table: as many as it is wide.
    void append(std::span<const Row> cells) {
        for (const auto& [field, column] : columns_)
            std::visit(
                [&, to = column]<class T>(T Row::*member) {
                    using Value = typename trace::Stored<T>::Type;
                    std::vector<Value> values;
                    values.reserve(cells.size());
                    for (const Row& cell : cells)
                        values.push_back(static_cast<Value>(cell.*member));
                    to->append(std::span<const Value>(values));
                },
                field->member);
    }

  private:
    template <class Make>
    void make(const trace::Field<Row>& field, Make&& make_column) {
        std::visit(
            [&]<class T>(T Row::*) {
                columns_.emplace_back(&field, &make_column(typename trace::Stored<T>::Type{}));
            },
            field.member);
    }

    std::vector<std::pair<const trace::Field<Row>*, storage::Column*>> columns_;
};

} // namespace pillar::recording
