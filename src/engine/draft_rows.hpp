#pragma once
// Where a draft model's rows stand in its cache, on every rank.

#include "pillar/engine/step.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pillar::engine {

class DraftRows {
  public:
    DraftRows(std::size_t max_sequences, std::size_t max_rows) : first_(max_sequences) {
        rows_.reserve(max_rows);
    }

    void begin(const StepPlan::Keep& keep) {
        first_[static_cast<std::size_t>(keep.sequence)] = keep.first;
    }
    /// Rows of a plan, by position in the cache. Valid until the next call.
    std::span<const forward::Row> in_cache(std::span<const forward::Row> rows) {
        rows_.assign(rows.begin(), rows.end());
        for (forward::Row& row : rows_)
            row.position -= first_[static_cast<std::size_t>(row.sequence)];
        return rows_;
    }

  private:
    std::vector<std::int32_t> first_; ///< (max_sequences) StepPlan::Keep::first
    std::vector<forward::Row> rows_;
};

} // namespace pillar::engine
