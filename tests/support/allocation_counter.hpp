#pragma once
// Counts calls of operator new in the whole test binary. Include it in one source file of a binary
// only.

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace pillar::support {

inline std::atomic<std::size_t> n_allocations{0};

} // namespace pillar::support

// Not inlined: the compiler would see malloc behind new and warn of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t n) {
    ++pillar::support::n_allocations;
    if (void* memory = std::malloc(n == 0 ? 1 : n)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
    ++pillar::support::n_allocations;
    return std::malloc(n == 0 ? 1 : n);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
