#pragma once
// The facts as JSON: on their way to rank 0 and in `check --json`. What the library for it costs is
// paid in one file.

#include "facts.hpp"
#include "rules/rules.hpp"

#include <string>
#include <vector>

namespace pillar::check {

std::string to_json(const IdentityFacts& facts);
std::string to_json(const ModelFacts& facts);
std::string to_json(const NodeFacts& facts);
std::string to_json(const std::vector<PairFacts>& facts);
/// And back; throws where it is something else.
void from_json(const std::string& text, IdentityFacts& facts);
void from_json(const std::string& text, ModelFacts& facts);
void from_json(const std::string& text, NodeFacts& facts);
void from_json(const std::string& text, std::vector<PairFacts>& facts);

/// What `check --json` prints.
std::string check_json(const ClusterFacts& facts, const std::vector<Verdict>& verdicts);

} // namespace pillar::check
