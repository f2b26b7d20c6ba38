// Small buffers come from the C library; large ones are mapped, cut to a 2 MiB border and advised
// as huge pages. Mapped memory is zero and becomes resident on first touch, so the thread that uses
// it places it.

#include "pillar/core/aligned_buffer.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/sizes.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fmt/core.h>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace pillar::detail {

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t mapped_from = std::size_t{4} << 20;

[[noreturn]] void refuse(std::size_t n_bytes, std::string_view reason) {
    throw Error(ExitCode::refused,
                fmt::format("cannot allocate {:.1f} MiB of memory ({}); use more ranks, a shorter "
                            "context (-c) or a smaller model",
                            static_cast<double>(n_bytes) / (1 << 20), reason));
}

std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

void* map_huge(std::size_t n_bytes) {
    const auto length = checked_round_up(n_bytes, page_size());
    const auto reserved = length ? checked_add(*length, huge_page) : std::nullopt;
    if (!reserved) refuse(n_bytes, "more than the address space");
    void* const memory =
        ::mmap(nullptr, *reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) refuse(n_bytes, std::generic_category().message(errno));
    auto* const start = static_cast<std::byte*>(memory);
    const auto past_border = reinterpret_cast<std::uintptr_t>(start) % huge_page;
    const std::size_t before = past_border == 0 ? 0 : huge_page - past_border;
    if (before != 0) ::munmap(start, before);
    const std::size_t after = huge_page - before;
    if (after != 0) ::munmap(start + before + *length, after);
    ::madvise(start + before, *length, MADV_HUGEPAGE); // a wish: kernels without it are fine
    return start + before;
}

} // namespace

std::size_t product_of_sizes(std::size_t n, std::size_t size) {
    const auto n_bytes = checked_mul(n, size);
    if (!n_bytes) refuse(SIZE_MAX, "more than the address space");
    return *n_bytes;
}

void* allocate_aligned(std::size_t n_bytes) {
    if (n_bytes == 0) return nullptr;
    if (n_bytes >= mapped_from) return map_huge(n_bytes);
    const std::size_t rounded = (n_bytes + alignment - 1) / alignment * alignment;
    void* const memory = std::aligned_alloc(alignment, rounded);
    if (memory == nullptr) refuse(n_bytes, "out of memory");
    std::memset(memory, 0, rounded);
    return memory;
}

void free_aligned(void* memory, std::size_t n_bytes) noexcept {
    if (memory == nullptr) return;
    if (n_bytes < mapped_from) {
        std::free(memory);
    } else {
        ::munmap(memory, (n_bytes + page_size() - 1) / page_size() * page_size());
    }
}

void collapse_to_huge_pages(void* memory, std::size_t n_bytes) noexcept {
    constexpr int madv_collapse = 25; // MADV_COLLAPSE, missing in older headers
    if (n_bytes >= mapped_from) ::madvise(memory, n_bytes / huge_page * huge_page, madv_collapse);
}

} // namespace pillar::detail
