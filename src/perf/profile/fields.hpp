#pragma once
// The numbers of a profile, one list for reading, writing and changing them.

#include "pillar/perf/machine_profile.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pillar::perf {

enum class Presence { required, optional };

/// A number of the file: its value times `unit` is the member.
struct ProfileField {
    std::string_view section; ///< "" at the top
    std::string_view key;
    double* member;
    double unit;
    double least, most; ///< in the file's unit: beyond them no machine is
    std::string_view comment;
    Presence presence = Presence::required;

    [[nodiscard]] std::string name() const;
};

/// In the file's order; the members are those of `profile`.
std::vector<ProfileField> fields_of(MachineProfile& profile);

/// "memory.read_gb_per_s"; without a section the key alone.
std::string field_name(std::string_view section, std::string_view key);

} // namespace pillar::perf
