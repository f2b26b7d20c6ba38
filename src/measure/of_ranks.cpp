#include "of_ranks.hpp"

#include "pillar/core/median.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <string>

namespace pillar::measure {

std::size_t from_root(comm::Communicator& comm, std::size_t n) {
    return std::stoul(comm.broadcast_from_root(std::to_string(n)));
}

std::vector<double> max_of_ranks(comm::Communicator& comm, std::span<const double> own) {
    std::string text;
    for (const double value : own) text += fmt::format("{} ", value);
    std::vector<double> largest(own.begin(), own.end());
    for (const std::string& of_rank : comm.all_gather(text)) {
        std::size_t at = 0;
        for (double& value : largest) {
            std::size_t length = 0;
            value = std::max(value, std::stod(of_rank.substr(at), &length));
            at += length;
        }
    }
    return largest;
}

double slowest_median(comm::Communicator& comm, std::span<const double> rounds_s) {
    return median(max_of_ranks(comm, rounds_s));
}

} // namespace pillar::measure
