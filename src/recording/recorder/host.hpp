#pragma once
// What /hosts tells of the machine this rank runs on.

#include "journal/records.hpp"

namespace pillar::recording {

[[nodiscard]] Host read_host(std::uint32_t n_threads);

/// NaN of none.
[[nodiscard]] double mean_hz(const std::vector<double>& clocks_mhz);

} // namespace pillar::recording
