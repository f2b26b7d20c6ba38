#pragma once

#include "pillar/tables/record.hpp"

#include <string>

namespace pillar::tables {

/// `indent`: blanks a level; negative: one line.
std::string to_json(const Value& value, int indent);

} // namespace pillar::tables
