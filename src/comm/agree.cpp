// The outcome of each rank goes to all; everybody draws the same conclusion.

#include "pillar/comm/agree.hpp"

#include "pillar/core/hash.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <string>
#include <vector>

namespace pillar::comm {

namespace {

/// "" when the phase succeeded, else "code sentence": text, which ranks of different builds too can
/// read.
std::string run(FunctionRef<void()> phase) {
    try {
        phase();
    } catch (...) {
        const Outcome outcome = outcome_of_exception();
        return fmt::format("{} {}", static_cast<int>(outcome.code), outcome.sentence);
    }
    return {};
}

} // namespace

void agree(Communicator& comm, FunctionRef<void()> phase) {
    const std::vector<std::string> outcomes = comm.all_gather(run(phase));
    const auto first = std::ranges::find_if(outcomes, [](const auto& o) { return !o.empty(); });
    if (first == outcomes.end()) return;

    const std::size_t space = first->find(' ');
    const auto code = static_cast<ExitCode>(std::stoi(first->substr(0, space)));
    const std::string sentence = first->substr(space + 1);
    if (std::ranges::count(outcomes, *first) == comm.size()) throw AgreedError(code, sentence);
    const int rank = static_cast<int>(first - outcomes.begin());
    throw AgreedError(code, fmt::format("rank {} on {}: {}", rank, comm.host(rank), sentence));
}

namespace {

constexpr std::size_t max_shown = 60;

/// A long value is cut; its hash keeps two that begin alike apart.
std::string shown(const std::string& value) {
    const std::string text = printable(value, max_shown);
    if (value.size() <= max_shown) return text.empty() ? "nothing" : text;
    return fmt::format("{} [{:016x}]", text, hash_of(std::span<const char>(value)));
}

/// Hosts of a group of ranks; with the rank where a host has ranks in other groups too.
std::string host_list(const Communicator& comm, const std::vector<std::string>& values,
                      const std::string& value) {
    std::vector<std::string> names;
    for (int rank = 0; rank < comm.size(); ++rank) {
        if (values[static_cast<std::size_t>(rank)] != value) continue;
        bool is_split = false;
        for (int other = 0; other < comm.size(); ++other) {
            is_split = is_split || (comm.host(other) == comm.host(rank) &&
                                    values[static_cast<std::size_t>(other)] != value);
        }
        std::string name = is_split ? fmt::format("rank {} on {}", rank, comm.host(rank))
                                    : std::string(comm.host(rank));
        if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    return fmt::format("{} {}", joined(names, ", "), names.size() == 1 ? "has" : "have");
}

} // namespace

void expect_same(Communicator& comm, std::string_view what, std::string_view value, ExitCode code) {
    expect_same_among(comm, what, comm.all_gather(value), code);
}

void expect_same_among(const Communicator& comm, std::string_view what,
                       const std::vector<std::string>& values, ExitCode code) {
    std::vector<std::string> groups; // in the order of their first ranks
    for (const std::string& v : values) {
        if (std::ranges::find(groups, v) == groups.end()) groups.push_back(v);
    }
    if (groups.size() == 1) return;
    std::vector<std::string> parts;
    for (const std::string& group : groups) {
        parts.push_back(fmt::format("{} {}", host_list(comm, values, group), shown(group)));
    }
    throw AgreedError(code, fmt::format("{} differs: {}", what, joined(parts, "; ")));
}

} // namespace pillar::comm
