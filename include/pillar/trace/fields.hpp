#pragma once
// The columns of /steps, /ranks and a part of /hosts as tables: a name, a unit, what it means, and
// the member of a row that it is. Writing, reading and the page's test go by them, so a new column
// is one line in src/trace/fields.cpp.

#include "pillar/storage/types.hpp"
#include "pillar/trace/rows.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace pillar::trace {

template <class Row>
struct Field {
    using Member = std::variant<double Row::*, std::uint64_t Row::*, std::uint32_t Row::*,
                                std::uint8_t Row::*, Phase Row::*>;

    std::string_view name;
    std::string_view unit;
    std::string_view meaning;
    Member member;
    std::string_view words{};   ///< of an enumeration: value i is called by the i-th word
    bool may_be_absent = false; ///< files of older pillars are without it

    [[nodiscard]] storage::Description description() const;
};

[[nodiscard]] std::span<const Field<StepRow>> step_fields();
[[nodiscard]] std::span<const Field<RankRow>> rank_fields();
[[nodiscard]] std::span<const Field<RankShare>> share_fields();
[[nodiscard]] std::span<const Field<LayerRow>> layer_fields();
[[nodiscard]] std::span<const Field<TelemetryRow>> telemetry_fields();

/// What a column stores a member as.
template <class T>
struct Stored {
    using Type = T;
};
template <>
struct Stored<Phase> {
    using Type = std::uint8_t;
};

} // namespace pillar::trace
