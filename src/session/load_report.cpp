#include "pillar/session/load_report.hpp"

#include "pillar/comm/exchange.hpp"
#include "pillar/core/median.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <fstream>

namespace pillar::session {

namespace {

constexpr double notably_longer = 1.5; ///< times the median of the others
constexpr double noticed_s = 2;        ///< nobody minds less
constexpr double little = 0.01;        ///< of all bytes: the file's header, a page beside a slice

std::string rate_of(std::uint64_t bytes, double seconds) {
    return seconds > 0 ? human_bytes(static_cast<double>(bytes) / seconds) + "/s" : "at once";
}

/// Where the bytes came from, as far as every rank knows.
std::string source_of(std::span<const LoadFacts> ranks, std::uint64_t bytes) {
    std::uint64_t from_device = 0;
    for (const LoadFacts& rank : ranks) {
        if (!rank.bytes_from_device) return "";
        from_device += *rank.bytes_from_device;
    }
    const auto part =
        static_cast<double>(from_device) / static_cast<double>(std::max(bytes, std::uint64_t{1}));
    if (part < little) return "; all from the page cache";
    const std::string device = human_bytes(static_cast<double>(from_device)) + " from the device";
    return part < 1 - little ? fmt::format("; {}, the rest from the page cache", device)
                             : "; " + device;
}

} // namespace

std::optional<std::uint64_t> bytes_from_device() {
    std::ifstream io("/proc/self/io");
    std::string key;
    std::uint64_t value = 0;
    while (io >> key >> value)
        if (key == "read_bytes:") return value;
    return std::nullopt;
}

std::vector<LoadFacts> gather_load(comm::Communicator& comm, const LoadFacts& own) {
    struct Message {
        double seconds;
        std::uint64_t bytes, bytes_from_device, is_device_known;
    };
    std::vector<LoadFacts> ranks;
    for (const Message& one :
         comm::all_gather(comm, Message{own.seconds, own.bytes, own.bytes_from_device.value_or(0),
                                        own.bytes_from_device.has_value() ? 1U : 0U})) {
        LoadFacts facts{one.seconds, one.bytes, std::nullopt};
        if (one.is_device_known != 0) facts.bytes_from_device = one.bytes_from_device;
        ranks.push_back(facts);
    }
    return ranks;
}

std::string load_line(std::span<const LoadFacts> ranks) {
    std::uint64_t bytes = 0;
    double seconds = 0;
    for (const LoadFacts& rank : ranks) {
        bytes += rank.bytes;
        seconds = std::max(seconds, rank.seconds);
    }
    return fmt::format("{} on {} in {:.2f} s ({}){}", human_bytes(static_cast<double>(bytes)),
                       counted(ranks.size(), "rank"), seconds, rate_of(bytes, seconds),
                       source_of(ranks, bytes));
}

std::string slow_load_line(std::span<const LoadFacts> ranks, std::span<const std::string> hosts) {
    if (ranks.size() < 2) return "";
    const auto slowest = std::ranges::max_element(ranks, {}, &LoadFacts::seconds);
    std::vector<double> others_s;
    for (auto rank = ranks.begin(); rank != ranks.end(); ++rank)
        if (rank != slowest) others_s.push_back(rank->seconds);
    const double median_s = median(std::move(others_s));
    if (slowest->seconds <= notably_longer * median_s || slowest->seconds - median_s <= noticed_s)
        return "";
    const auto rank = static_cast<std::size_t>(slowest - ranks.begin());
    return fmt::format("{} (rank {}) took {:.1f} s to load its {} ({}); the median of the others "
                       "is {:.1f} s. Look "
                       "at its disk or its connection to the shared one",
                       hosts[rank], rank, slowest->seconds,
                       human_bytes(static_cast<double>(slowest->bytes)),
                       rate_of(slowest->bytes, slowest->seconds), median_s);
}

} // namespace pillar::session
