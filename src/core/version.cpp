// The version comes from CMake, the revision from git at build time, the hash from the file that is
// running.

#include "pillar/core/hash.hpp"
#include "pillar/core/program.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/core.h>
#include <pillar/revision.hpp>
#include <unistd.h>
#include <vector>

namespace pillar {

std::string_view version() noexcept {
    return PILLAR_VERSION;
}

std::string_view revision() noexcept {
    return PILLAR_REVISION;
}

std::uint64_t binary_hash() {
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    std::vector<std::byte> buffer(std::size_t{64} << 10); // a multiple of 8: pieces chain
    std::uint64_t hash = hash_seed;
    std::size_t filled = 0;
    while (true) {
        const ssize_t n = ::read(file, buffer.data() + filled, buffer.size() - filled);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            ::close(file);
            return 0;
        }
        filled += static_cast<std::size_t>(n);
        if (n == 0 || filled == buffer.size()) {
            hash = hash_bytes({buffer.data(), filled}, hash);
            filled = 0;
        }
        if (n == 0) break;
    }
    ::close(file);
    return hash;
}

std::string build_text() {
    return fmt::format("{} {} build {:016x}", version(), revision(), binary_hash());
}

} // namespace pillar
