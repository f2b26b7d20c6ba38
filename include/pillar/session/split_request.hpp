#pragma once
// What --split asks for.

#include <span>
#include <string>
#include <vector>

namespace pillar::session {

enum class SplitKind { even, automatic, list, file };

struct SplitRequest {
    SplitKind kind = SplitKind::even;
    std::vector<double> weights{}; ///< of a list: positive, finite
    std::string path{};            ///< of a trace
};
/// "even", "auto", "0.3,0.7" or "FILE.h5". Throws UsageError.
SplitRequest parse_split(const std::string& text);
/// And back.
std::string split_text(const SplitRequest& request);

/// "0.3,0.7": read back, they are the same numbers. "even" when there are none.
std::string weights_text(std::span<const double> weights);

} // namespace pillar::session
