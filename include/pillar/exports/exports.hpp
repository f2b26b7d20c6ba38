#pragma once
// One trace for other people's programs: Chrome's trace format (Perfetto, speedscope), CSV tables,
// OTF2 (Vampir, Score-P's tools). docs/trace_exports.md says what becomes of what.
//
// All throw IoError or FormatError for a trace that cannot be read, and IoError(cannot_create) for
// what is there already and may not be replaced (`force`). Nothing is left behind by one that fails
// but folders that are empty.

#include <string>

namespace pillar::exports {

/// A JSON file: a process a rank, with tracks for computing, waiting, bytes on the wire and layers.
void export_chrome(const std::string& trace, const std::string& file, bool force);

/// A folder with one table a group of the trace, named as the group is: steps.csv, ranks.csv …
void export_csv(const std::string& trace, const std::string& folder, bool force);

/// A folder with an OTF2 archive, traces.otf2. Throws Error(refused) where this pillar was built
/// without the library.
void export_otf2(const std::string& trace, const std::string& folder, bool force);
/// Whether it was built with it.
[[nodiscard]] bool has_otf2() noexcept;

} // namespace pillar::exports
