// The table of who waited for whom: /waiting.

#include "tables.hpp"

namespace pillar::recording {

void WaitingTable::add(engine::Phase phase, std::span<const WaitedFor> waits) {
    for (const WaitedFor& one : waits) {
        Sums& sums = rows_[{phase, one.rank, one.cause}];
        ++sums.count;
        sums.wait_s += one.wait_s;
        sums.uncertainty_s += one.uncertainty_s;
    }
}

void WaitingTable::write(storage::Group& root) const {
    Table table(root, "waiting");
    auto& pair = table.dimension<std::uint32_t>("pair", {.long_name = "phase, rank and cause"});
    auto& phase = table.column<std::uint8_t>("phase", {.meanings = {"prefill", "decode"}});
    auto& rank = table.column<std::uint32_t>("rank", {.long_name = "rank that waited"});
    auto& cause = table.column<std::uint32_t>("cause", {.long_name = "rank that came last"});
    auto& count = table.column<std::uint64_t>("count", {.long_name = "collectives"});
    auto& wait_s = table.column<double>("wait_s", {.units = "s", .long_name = "waited in all"});
    auto& uncertainty_s = table.column<double>(
        "wait_uncertainty_s", {.units = "s", .long_name = "how far wait_s may be off"});
    std::uint32_t index = 0;
    for (const auto& [key, sums] : rows_) {
        pair.append(index++);
        phase.append(static_cast<std::uint8_t>(std::get<0>(key)));
        rank.append(std::get<1>(key));
        cause.append(std::get<2>(key));
        count.append(sums.count);
        wait_s.append(sums.wait_s);
        uncertainty_s.append(sums.uncertainty_s);
    }
    table.finish();
}

} // namespace pillar::recording
