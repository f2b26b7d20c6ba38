#pragma once
// Which machine this is.

#include <string>

namespace pillar::comm {

/// The name that messages use, without the domain.
std::string host_name();

/// The same text for all processes under one running kernel and for no others: cards copied from
/// one image give several boards the same host name, and containers give one board several.
std::string machine_id();

} // namespace pillar::comm
