// The replaceable forms of operator new and delete, and the linker's wrappers.

#include "support/memory_requests.hpp"

#include <atomic>
#include <cstdlib>
#include <new>
#include <sys/types.h>

namespace {

std::atomic<std::size_t> counter{0};
std::atomic<std::uint64_t> bytes{0};

void count(std::size_t n) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(n, std::memory_order_relaxed);
}

} // namespace

std::size_t pillar::support::n_memory_requests() noexcept {
    return counter.load(std::memory_order_relaxed);
}

std::uint64_t pillar::support::n_requested_bytes() noexcept {
    return bytes.load(std::memory_order_relaxed);
}

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
void* __real_malloc(std::size_t n);
void* __real_calloc(std::size_t n, std::size_t size);
void* __real_realloc(void* memory, std::size_t n);
void* __real_aligned_alloc(std::size_t alignment, std::size_t n);
int __real_posix_memalign(void** memory, std::size_t alignment, std::size_t n);
void* __real_mmap(void* address, std::size_t n, int protection, int flags, int file, off_t offset);

void* __wrap_malloc(std::size_t n) {
    count(n);
    return __real_malloc(n);
}
void* __wrap_calloc(std::size_t n, std::size_t size) {
    count(n * size);
    return __real_calloc(n, size);
}
void* __wrap_realloc(void* memory, std::size_t n) {
    count(n);
    return __real_realloc(memory, n);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t n) {
    count(n);
    return __real_aligned_alloc(alignment, n);
}
int __wrap_posix_memalign(void** memory, std::size_t alignment, std::size_t n) {
    count(n);
    return __real_posix_memalign(memory, alignment, n);
}
void* __wrap_mmap(void* address, std::size_t n, int protection, int flags, int file, off_t offset) {
    count(n);
    return __real_mmap(address, n, protection, flags, file, offset);
}
// NOLINTEND(bugprone-reserved-identifier)
}

namespace {

void* allocate(std::size_t n) {
    void* memory = std::malloc(n == 0 ? 1 : n);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void* allocate(std::size_t n, std::align_val_t alignment) {
    const auto unit = static_cast<std::size_t>(alignment);
    void* memory = std::aligned_alloc(unit, (n + unit - 1) / unit * unit);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

} // namespace

// clang-format off
void* operator new(std::size_t n) { return allocate(n); }
void* operator new[](std::size_t n) { return allocate(n); }
void* operator new(std::size_t n, std::align_val_t a) { return allocate(n, a); }
void* operator new[](std::size_t n, std::align_val_t a) { return allocate(n, a); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
// clang-format on
