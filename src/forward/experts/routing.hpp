#pragma once
// Which experts a row goes through, and which rows each expert has: pure arithmetic, the same on
// every rank.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pillar::forward {

/// One of a row's experts.
struct ChosenExpert {
    std::uint32_t expert = 0;
    float weight = 0; ///< of its result in the sum
};

/// The experts with the largest of the `scores` (one each), as many as `chosen` has room for, at
/// most all: of equal scores those with the lower index, a NaN above all numbers, so that it stays
/// visible. They come in order of their index, with the softmax over their scores as weights
/// (docs/architecture.md, "Same bits").
void choose_experts(std::span<const float> scores, std::span<ChosenExpert> chosen) noexcept;

/// The rows of a step by expert. They take turns as columns of one list: first the rows of the
/// first expert that any row chose, in order, then those of the next.
class ExpertGroups {
  public:
    /// Room for `max_rows` rows that choose `n_used` of `n_experts` each.
    ExpertGroups(std::size_t n_experts, std::size_t n_used, std::size_t max_rows);
    static std::size_t size_bytes(std::size_t n_experts, std::size_t n_used,
                                  std::size_t max_rows) noexcept;

    /// A column of the list: a row that goes through the group's expert.
    struct Member {
        std::uint32_t row = 0;
        float weight = 0;
    };
    struct Group {
        std::size_t expert = 0;
        std::size_t begin = 0; ///< its first column
        std::size_t n = 0;     ///< its columns, at least 1
    };

    /// `choices`: (rows, n_used), each row's in order of the experts. Allocates nothing.
    void make(std::span<const ChosenExpert> choices) noexcept;

    /// In order of the experts.
    [[nodiscard]] std::span<const Group> groups() const noexcept {
        return std::span(groups_).first(n_groups_);
    }
    /// Of a group's columns, or of all: (columns).
    [[nodiscard]] std::span<const Member> members() const noexcept {
        return std::span(members_).first(n_members_);
    }
    [[nodiscard]] std::span<const Member> members(const Group& group) const noexcept {
        return members().subspan(group.begin, group.n);
    }

    /// Calls body(group, [first, last)) for the parts of the groups' units that are thread number
    /// `thread`'s of `n_threads`, where each group has `n_units` equal pieces of work; about as
    /// much of it for each thread, counting a unit's columns and the reading of its weights.
    template <class Body>
    void for_each_share(std::size_t n_units, int thread, int n_threads, const Body& body) const {
        const auto t = static_cast<std::size_t>(thread), n = static_cast<std::size_t>(n_threads);
        const std::size_t total = cost_ * n_units;
        const std::size_t from = total * t / n, to = total * (t + 1) / n;
        std::size_t before = 0;
        for (const Group& group : groups()) {
            const std::size_t a_unit = cost_of(group), end = before + n_units * a_unit;
            const auto unit_at = [&](std::size_t place) { // the border next above a place
                if (place <= before) return std::size_t{0};
                if (place >= end) return n_units;
                return (place - before + a_unit - 1) / a_unit;
            };
            const std::size_t first = unit_at(from), last = unit_at(to);
            if (first < last) body(group, first, last);
            before = end;
        }
    }

  private:
    /// Reading the weights of a unit takes as long as multiplying them with so many columns.
    static constexpr std::size_t columns_of_reading = 4;
    static std::size_t cost_of(const Group& group) noexcept { return columns_of_reading + group.n; }

    std::size_t n_used_;
    std::size_t n_groups_ = 0, n_members_ = 0;
    std::size_t cost_ = 0;            ///< of one unit of every group
    std::vector<std::size_t> places_; ///< (n_experts): columns, then the next free column
    std::vector<Group> groups_;       ///< (n_experts)
    std::vector<Member> members_;     ///< (max_rows · n_used)
};

} // namespace pillar::forward
