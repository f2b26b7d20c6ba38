#pragma once
// An option of a run that changes what a step costs: traces that differ in one are different rows.

#include <string>

namespace pillar::report {

struct Option {
    std::string name;
    std::string value; ///< empty: not recorded
    bool operator==(const Option&) const = default;
};

} // namespace pillar::report
