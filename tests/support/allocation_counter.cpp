// The replaceable forms of operator new and delete, over malloc and free.

#include "support/allocation_counter.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> counter{0};

void* allocate(std::size_t n_bytes, std::size_t alignment) {
    counter.fetch_add(1, std::memory_order_relaxed);
    const std::size_t n = (n_bytes + alignment - 1) / alignment * alignment;
    void* memory = alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, n)
                                                         : std::malloc(n_bytes == 0 ? 1 : n_bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

} // namespace

std::size_t pillar::support::n_allocations() noexcept {
    return counter.load(std::memory_order_relaxed);
}

void* operator new(std::size_t n) {
    return allocate(n, 1);
}
void* operator new[](std::size_t n) {
    return allocate(n, 1);
}
void* operator new(std::size_t n, std::align_val_t a) {
    return allocate(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, std::align_val_t a) {
    return allocate(n, static_cast<std::size_t>(a));
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
