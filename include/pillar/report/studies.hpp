#pragma once
// Which questions the rows of a table answer: rows that are alike in all but one setting are a
// study of it.

#include "pillar/report/scaling_table.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pillar::report {

struct StudyPoint {
    std::size_t row = 0; ///< of the table
    double x = 0;        ///< the setting as a number; its place where it is none
    std::string label;   ///< as it was set
};

struct Study {
    enum class Kind {
        strong,  ///< ranks; the same work
        weak,    ///< ranks; as many sequences, or rows of a prompt, a rank
        threads, ///< a rank
        context, ///< positions of the cache
        batch,   ///< sequences a step, or rows of a prompt a step
        wire,    ///< how all-reduces encode numbers
        message, ///< all-reduces of several sizes
        other    ///< any other option
    };
    Kind kind{};
    std::string setting; ///< which one differs: "ranks", "threads", "wire" …
    std::string
        alike; ///< "4 threads, wire=f32": of the settings that differ elsewhere in the table
    std::vector<StudyPoint> points; ///< by x, at least two; of message sizes one row
};

/// "strong scaling", "wire" …
[[nodiscard]] std::string name_of(const Study& study);
/// A setting's values are numbers, so that a curve may be drawn over them.
[[nodiscard]] bool is_numeric(const Study& study) noexcept;

[[nodiscard]] std::vector<Study> studies_of(const ScalingTable& table);

} // namespace pillar::report
