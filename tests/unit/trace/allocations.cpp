// Replacements of the global operators.

#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> n_so_far{0};

} // namespace

std::size_t pillar::trace::n_allocations() noexcept {
    return n_so_far;
}

[[gnu::noinline]] void* operator new(std::size_t n) {
    ++n_so_far;
    if (void* memory = std::malloc(n == 0 ? 1 : n)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t n, const std::nothrow_t& /*tag*/) noexcept {
    ++n_so_far;
    return std::malloc(n == 0 ? 1 : n);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}
