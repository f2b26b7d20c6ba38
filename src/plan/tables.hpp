#pragma once
// A plan and a grid, ready to be told.

#include "rows.hpp"

#include "pillar/tables/writer.hpp"

#include <string>
#include <vector>

namespace pillar::plan {

struct PlanTable {
    std::string model;
    std::string profile;          ///< names of the nodes' profiles
    bool has_ranges = false;      ///< the profiles tell how far off their numbers may be
    std::vector<double> decode_w; ///< of the kinds of nodes
    PlanRequest request;          ///< with the context that was used
    std::vector<PlanRow> rows;
    PlanRow base;      ///< of speed-ups
    std::string slow;  ///< a sentence on formats without fast kernels; empty: there are none
    std::string draft; ///< who proposes; empty: nobody
};

/// Not jsonl.
std::string render(const PlanTable& table, tables::Format format);

/// Of rows that fit the one with the most tokens per second, nullptr where none fits; and the
/// fewest nodes that come within a tenth of it.
const PlanRow* fastest(const std::vector<PlanRow>& rows);
const PlanRow* nearly_fastest(const std::vector<PlanRow>& rows);

struct GridRow {
    std::string model, format, profile;
    double file_bytes = 0; ///< of all tensors
    PlanRow plan;
};

std::string render(const std::vector<GridRow>& grid, const PlanRequest& request,
                   tables::Format format);

/// "4.52–5.94".
std::string between(const perf::Interval& interval, int digits);

} // namespace pillar::plan
