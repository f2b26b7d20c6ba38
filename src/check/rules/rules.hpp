#pragma once
// What `check` makes of the facts: one verdict a line, with what to do. Pure functions.

#include "facts.hpp"

#include "pillar/core/errors.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pillar::check {

enum class Level {
    good, ///< as it should be
    note, ///< worth knowing
    slow, ///< it will run, but slower than it could
    bad,  ///< it cannot run like this
};

/// As printed: "ok", "note", "slow", "BAD".
std::string_view name_of(Level level) noexcept;

struct Verdict {
    Level level = Level::good;
    std::string about;              ///< "program", "memory", "network" …
    std::string text;               ///< what is, and what to do
    ExitCode code = ExitCode::done; ///< of a bad one
};

/// A node whose memory reads slower than this share of the middle one's holds the others up: the
/// spread between equal boards is ± 6 %.
inline constexpr double slow_memory_share = 0.85;
/// Nodes with memory beyond this ratio are unequal: firmware takes a varying part of equal ones.
inline constexpr double unequal_memory_ratio = 1.25;
/// A clock just after work below this share of what the CPU can do: governors step by a tenth.
inline constexpr double slow_clock_share = 0.9;
/// A Pi 4 begins to throttle at 80 °C; what comes near it in a check gets there in a run.
inline constexpr double hot_c = 75;
/// USB's lowest voltage at a device; a Raspberry Pi slows down below 4.63 V.
inline constexpr double min_supply_v = 4.75;
/// CPUs of one machine beyond this ratio are of two kinds; equal ones may have a favourite whose
/// clock goes a few percent higher.
inline constexpr double unequal_cpu_ratio = 1.2;
/// A start that finds less of its weights in memory is measured with the card, not with the board.
inline constexpr double min_cached_share = 0.9;
/// Gigabit: slower links take longer for a token's messages than a board does for its weights.
inline constexpr int min_speed_mbit_per_s = 1000;
/// rx-usecs from here on show in the latency: twice the 25 µs that a tuned Pi's packet takes.
inline constexpr int max_receive_delay_us = 50;
/// An untuned Pi 4 has 100 µs; beyond it something holds messages up.
inline constexpr double max_latency_s = 150e-6;
/// A pair beyond this ratio of the middle pair has a cable or a switch of its own kind.
inline constexpr double slow_pair_ratio = 2;
/// … unless its messages still take less than those of a tuned Pi 4.
inline constexpr double good_latency_s = 50e-6;
/// Of what the link's speed allows, headers taken off, a pair should reach this share.
inline constexpr double min_link_share = 0.8;
/// Times of day further apart confuse logs and `make`; traces have clocks of their own.
inline constexpr double max_clock_offset_s = 1;

/// Of the program and MPI alone: before anything else is done together.
std::vector<Verdict> judge_identities(const std::vector<IdentityFacts>& identities);
/// All verdicts, in the order of printing.
std::vector<Verdict> judge(const ClusterFacts& facts);

// Its parts.
std::vector<Verdict> judge_models(const ClusterFacts& facts);
std::vector<Verdict> judge_nodes(const ClusterFacts& facts);
std::vector<Verdict> judge_processors(const ClusterFacts& facts);
std::vector<Verdict> judge_network(const ClusterFacts& facts);

/// The code of the first bad verdict; done without one.
ExitCode exit_code_of(const std::vector<Verdict>& verdicts) noexcept;

/// One rank of each machine (or of each `place`), the lowest, ascending.
std::vector<int> first_ranks(const ClusterFacts& facts,
                             std::string IdentityFacts::*place = &IdentityFacts::machine);
/// All ranks on the machine of this one.
std::vector<int> ranks_beside(const ClusterFacts& facts, int rank);
/// Does this pair need the network?
bool is_across(const ClusterFacts& facts, const PairFacts& pair);
/// The median of what pairs have.
double middle(const std::vector<PairFacts>& pairs, double PairFacts::*what);
/// "pi1, pi3" of ranks.
std::string hosts_of(const ClusterFacts& facts, const std::vector<int>& ranks);

} // namespace pillar::check
