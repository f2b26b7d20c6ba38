#pragma once
// Rows of a plan as programs read them.

#include "tables.hpp"

#include "pillar/tables/record.hpp"

namespace pillar::plan {

tables::Record record_of(const PlanTable& table, const PlanRow& row);
tables::Record record_of(const GridRow& row, const PlanRequest& request);

} // namespace pillar::plan
