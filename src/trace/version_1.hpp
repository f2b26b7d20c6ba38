#pragma once
// What files of format version 1 had otherwise: numbers of the ranks as comma-separated texts in
// /config, and two columns under other names. The reader translates; nobody else sees it.

#include "pillar/storage/types.hpp"
#include "pillar/trace/rows.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pillar::trace {

/// Takes those texts out of `config` into `shares`, one a rank. Throws FormatError for a text that
/// is no list of one number a rank.
void take_shares_of_version_1(const std::string& path, std::vector<storage::NamedValue>& config,
                              std::vector<RankShare>& shares);

/// A column's name in version 1.
[[nodiscard]] std::string_view name_in_version_1(std::string_view column) noexcept;

} // namespace pillar::trace
