#include "pillar/session/host_groups.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <functional>

namespace pillar::session {

std::string join_once(std::vector<std::string> names) {
    std::vector<std::string> once;
    for (std::string& name : names)
        if (std::ranges::find(once, name) == once.end()) once.push_back(std::move(name));
    return joined(once, ", ");
}

std::vector<Group> groups_of(const std::vector<std::string>& hosts,
                             const std::vector<std::string>& values) {
    std::vector<Group> groups;
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto found = std::ranges::find(groups, values[i], &Group::value);
        if (found == groups.end()) found = groups.insert(found, {values[i], {}});
        found->hosts.push_back(hosts[i]);
    }
    std::ranges::stable_sort(groups, std::greater<>(),
                             [](const Group& g) { return g.hosts.size(); });
    return groups;
}

std::string listed(const std::vector<Group>& groups) {
    std::vector<std::string> parts;
    for (const Group& group : groups)
        parts.push_back(fmt::format("{} on {}", printable(group.value), join_once(group.hosts)));
    return joined(parts, "; ");
}

} // namespace pillar::session
