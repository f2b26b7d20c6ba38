#pragma once
// A group whose columns share their rows and are labelled with the same dimension scale.

#include "pillar/storage/writer.hpp"

#include <deque>
#include <string_view>

namespace pillar::recording {

class Table {
  public:
    Table(storage::Group& parent, std::string_view name) : group_(parent.group(name)) {}
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    /// A dimension of the table; the first one made is that of the rows.
    template <class T>
    storage::Column& dimension(std::string_view name, const storage::Description& what) {
        storage::Column& scale = columns_.emplace_back(group_.column<T>(name, what));
        group_.make_scale(scale, name);
        return scale;
    }
    /// (rows)
    template <class T>
    storage::Column& column(std::string_view name, const storage::Description& what) {
        storage::Column& column = columns_.emplace_back(group_.column<T>(name, what));
        group_.attach(column, columns_.front());
        return column;
    }
    /// (rows, width), labelled with `second` across.
    template <class T>
    storage::Column& column(std::string_view name, const storage::Description& what,
                            const storage::Column& second, std::size_t width) {
        storage::Column& column = columns_.emplace_back(group_.column<T>(name, what, width));
        group_.attach(column, columns_.front(), 0);
        group_.attach(column, second, 1);
        return column;
    }
    /// (rows)
    storage::TextColumn& text_column(std::string_view name, const storage::Description& what) {
        storage::TextColumn& column = texts_.emplace_back(group_.text_column(name, what));
        group_.attach(column, columns_.front());
        return column;
    }
    [[nodiscard]] storage::Group& group() noexcept { return group_; }

    void finish() {
        for (storage::Column& column : columns_) column.finish();
        for (storage::TextColumn& column : texts_) column.finish();
    }

  private:
    storage::Group group_;
    std::deque<storage::Column> columns_; ///< the rows' dimension first; references stay valid
    std::deque<storage::TextColumn> texts_;
};

} // namespace pillar::recording
