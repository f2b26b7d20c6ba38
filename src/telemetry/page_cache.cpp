// Piece by piece, so that a file of any size takes little memory to look at.

#include "pillar/telemetry/page_cache.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace pillar::telemetry {

namespace {

/// Bytes of [offset, offset + n) of the open file that are in memory.
std::optional<std::uint64_t> cached_of(int file, std::uint64_t offset, std::uint64_t n) {
    void* const map = ::mmap(nullptr, n, PROT_READ, MAP_SHARED, file, static_cast<off_t>(offset));
    if (map == MAP_FAILED) return std::nullopt;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages((n + page - 1) / page);
    const bool is_told = ::mincore(map, n, pages.data()) == 0;
    ::munmap(map, n);
    if (!is_told) return std::nullopt;
    const auto n_cached =
        std::ranges::count_if(pages, [](unsigned char flags) { return (flags & 1) != 0; });
    return std::min(n, static_cast<std::uint64_t>(n_cached) * page);
}

} // namespace

std::optional<CachedFile> read_cached(const std::string& path) {
    constexpr std::uint64_t piece = std::uint64_t{256} << 20;
    if (::access(path.c_str(), W_OK) != 0) return std::nullopt;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::nullopt;
    struct stat about {};
    std::optional<CachedFile> all;
    if (::fstat(file, &about) == 0 && S_ISREG(about.st_mode)) {
        all = CachedFile{static_cast<std::uint64_t>(about.st_size), 0};
        for (std::uint64_t at = 0; all && at < all->n_bytes; at += piece) {
            const auto cached = cached_of(file, at, std::min(piece, all->n_bytes - at));
            if (cached)
                all->cached_bytes += *cached;
            else
                all.reset();
        }
    }
    ::close(file);
    return all;
}

} // namespace pillar::telemetry
