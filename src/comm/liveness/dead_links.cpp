// TCP_INFO of the sockets that MPI has opened.

#include "dead_links.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pillar::comm {

namespace {

constexpr int max_files = 4096;
/// 0.2 + 0.4 + 0.8 s and more: no stray packet.
constexpr unsigned min_retransmits = 3;

} // namespace

double max_unacknowledged_s() noexcept {
    double max_s = 0;
    const int n_files = static_cast<int>(std::min<long>(::sysconf(_SC_OPEN_MAX), max_files));
    for (int file = 0; file < n_files; ++file) {
        tcp_info info{};
        socklen_t length = sizeof info;
        if (::getsockopt(file, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) continue;
        if (info.tcpi_unacked == 0 || info.tcpi_retransmits < min_retransmits) continue;
        max_s = std::max(max_s, 1e-3 * info.tcpi_last_ack_recv);
    }
    return max_s;
}

} // namespace pillar::comm
