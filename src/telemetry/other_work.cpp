// /proc/stat against the process's own clock.

#include "pillar/telemetry/other_work.hpp"

#include "pillar/core/hash.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <fstream>
#include <unistd.h>

namespace pillar::telemetry {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr double min_s = 0.3; ///< thirty ticks of a hundredth

/// "cpu  user nice system idle iowait irq softirq steal …", in ticks since the start.
double busy_s(const std::filesystem::path& root) {
    std::ifstream file(root / "proc/stat");
    std::string name;
    std::array<double, 8> ticks{};
    file >> name;
    for (double& value : ticks) file >> value;
    const long ticks_a_second = ::sysconf(_SC_CLK_TCK);
    if (!file || name != "cpu" || ticks_a_second <= 0) return nothing;
    return (ticks[0] + ticks[1] + ticks[2] + ticks[7]) / static_cast<double>(ticks_a_second);
}

double own_s() {
    timespec time{};
    if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0) return nothing;
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

} // namespace

CpuMeter::CpuMeter(std::string_view machine, std::filesystem::path root)
    : machine_(hash_of(std::span<const char>(machine))), root_(std::move(root)),
      begin_s_(monotonic_s()), busy_s_(telemetry::busy_s(root_)), own_s_(telemetry::own_s()) {}

CpuUse CpuMeter::use() const {
    CpuUse use;
    use.machine = machine_;
    use.seconds = monotonic_s() - begin_s_;
    use.busy_s = telemetry::busy_s(root_) - busy_s_;
    use.own_s = telemetry::own_s() - own_s_;
    use.n_cpus = std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN));
    return use;
}

std::vector<double> other_cpus(std::span<const CpuUse> ranks) {
    std::vector<double> others;
    for (const CpuUse& rank : ranks) {
        double own = 0;
        for (const CpuUse& beside : ranks)
            if (beside.machine == rank.machine) own += beside.own_s;
        const double other_s = rank.busy_s - own;
        others.push_back(rank.seconds < min_s  ? nothing
                         : std::isnan(other_s) ? nothing
                                               : std::max(0.0, other_s / rank.seconds));
    }
    return others;
}

bool disturbs(double other_cpus, std::int64_t n_cpus) {
    return other_cpus > std::max(0.2, 0.05 * static_cast<double>(n_cpus));
}

} // namespace pillar::telemetry
