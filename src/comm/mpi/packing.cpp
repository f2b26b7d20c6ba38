// Headers by memcpy: messages stand at any offset.

#include "packing.hpp"

#include "pillar/core/errors.hpp"

#include <cstdint>
#include <cstring>
#include <fmt/core.h>
#include <limits>

namespace pillar::comm {

namespace {

struct Header {
    std::uint32_t rank;
    std::uint32_t n_bytes;
};
static_assert(sizeof(Header) == gather_header_bytes);

} // namespace

void write_gather_header(std::span<std::byte> destination, int rank, std::size_t n_bytes) noexcept {
    expects(n_bytes <= std::numeric_limits<std::uint32_t>::max(),
            "a gathered message is shorter than 4 GiB");
    const Header header{static_cast<std::uint32_t>(rank), static_cast<std::uint32_t>(n_bytes)};
    std::memcpy(destination.data(), &header, sizeof header);
}

void unpack_gather(std::span<const std::byte> bytes, int n_ranks,
                   FunctionRef<void(int rank, std::size_t offset, std::size_t n_bytes)> visit) {
    std::size_t offset = 0;
    while (offset < bytes.size()) {
        Header header{};
        const bool has_header = bytes.size() - offset >= sizeof header;
        if (has_header) std::memcpy(&header, bytes.data() + offset, sizeof header);
        offset += sizeof header;
        if (!has_header || header.rank >= static_cast<std::uint32_t>(n_ranks) ||
            header.n_bytes > bytes.size() - offset) {
            throw Error(ExitCode::internal,
                        fmt::format("a gathered message of {} bytes is not what its headers say",
                                    bytes.size()));
        }
        visit(static_cast<int>(header.rank), offset, header.n_bytes);
        offset += header.n_bytes;
    }
}

} // namespace pillar::comm
