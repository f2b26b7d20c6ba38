#pragma once
// How busy other programs kept a machine's CPUs while this one ran: what all programs used, less
// what the ranks there used themselves. Work of the kernel for interrupts counts for nobody, time
// that a hypervisor took (steal) counts as another program's.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace pillar::telemetry {

/// Between two moments, as one process saw it: plain numbers, which travel to other ranks as they
/// lie. NaN: the machine does not tell.
struct CpuUse {
    std::uint64_t machine = 0; ///< equal for processes under one kernel and for no others
    double seconds = 0;
    double busy_s = std::numeric_limits<double>::quiet_NaN(); ///< of all CPUs, all programs
    double own_s = 0;                                         ///< of this process
    std::int64_t n_cpus = 0;                                  ///< of the machine
};

/// Measures from its construction on.
class CpuMeter {
  public:
    explicit CpuMeter(std::string_view machine, std::filesystem::path root = "/");
    [[nodiscard]] CpuUse use() const;

  private:
    std::uint64_t machine_;
    std::filesystem::path root_;
    double begin_s_;
    double busy_s_;
    double own_s_;
};

/// CPUs of its machine that programs other than all of these kept busy in the mean, for each of
/// them. NaN where the machine does not tell, or the time was too short for the kernel's ticks.
std::vector<double> other_cpus(std::span<const CpuUse> ranks);

/// So much that measurements tell of the others too. False for NaN.
bool disturbs(double other_cpus, std::int64_t n_cpus);

} // namespace pillar::telemetry
