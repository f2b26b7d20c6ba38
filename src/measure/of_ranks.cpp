#include "of_ranks.hpp"

#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/median.hpp"

#include <algorithm>

namespace pillar::measure {

std::vector<double> max_of_ranks(comm::Communicator& comm, const std::vector<double>& own) {
    std::vector<double> largest = own;
    for (const std::vector<double>& of_rank : comm::all_gather(comm, own)) {
        expects(of_rank.size() == own.size(), "all ranks have as many numbers");
        for (std::size_t i = 0; i < own.size(); ++i) largest[i] = std::max(largest[i], of_rank[i]);
    }
    return largest;
}

double slowest_median(comm::Communicator& comm, const std::vector<double>& rounds_s) {
    return median(max_of_ranks(comm, rounds_s));
}

} // namespace pillar::measure
