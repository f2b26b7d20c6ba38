#pragma once
// Hosts by what they have in common, in words.

#include <string>
#include <vector>

namespace pillar::session {

/// "pi1, pi3", each once.
std::string join_once(std::vector<std::string> names);

/// Hosts by a text that each has.
struct Group {
    std::string value;
    std::vector<std::string> hosts;
};
/// The text of the most hosts first. Both lists have one entry a host.
std::vector<Group> groups_of(const std::vector<std::string>& hosts,
                             const std::vector<std::string>& values);
/// "one thing on pi1, pi2; another on pi3".
std::string listed(const std::vector<Group>& groups);

} // namespace pillar::session
