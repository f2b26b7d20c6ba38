// TCP_INFO of the sockets that MPI has opened.

#include "dead_links.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pillar::comm {

namespace {

constexpr int most_files = 4096;
/// 0.2 + 0.4 + 0.8 s and more: no stray packet.
constexpr unsigned fewest_retransmits = 3;

} // namespace

double longest_unacknowledged_s() noexcept {
    double longest_s = 0;
    const int n_files = static_cast<int>(std::min<long>(::sysconf(_SC_OPEN_MAX), most_files));
    for (int file = 0; file < n_files; ++file) {
        tcp_info info{};
        socklen_t length = sizeof info;
        if (::getsockopt(file, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) continue;
        if (info.tcpi_unacked == 0 || info.tcpi_retransmits < fewest_retransmits) continue;
        longest_s = std::max(longest_s, 1e-3 * info.tcpi_last_ack_recv);
    }
    return longest_s;
}

} // namespace pillar::comm
