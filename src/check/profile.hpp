#pragma once
// The machine profile that follows from a check, and the printed report.

#include "rules/rules.hpp"

#include "pillar/perf/machine_profile.hpp"

#include <string>
#include <vector>

namespace pillar::check {

/// Of the slowest node and the middle pair of nodes; what was not measured keeps the default.
perf::MachineProfile profile_of(const ClusterFacts& facts);
/// Comment lines for the file: who was measured, what was not.
std::vector<std::string> profile_header(const ClusterFacts& facts);

/// A line a verdict, the pairs of up to 16 nodes as a matrix, the all-reduces beside what the
/// profile predicts.
std::string check_text(const ClusterFacts& facts, const std::vector<Verdict>& verdicts);

} // namespace pillar::check
