#pragma once
// Owning arrays for weights, caches and activations: aligned for SIMD and cache lines, zeroed, on
// huge pages when large. Allocated once during setup; a failure is a sentence (ExitCode::refused),
// not std::bad_alloc.

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace pillar {

namespace detail {
/// n · size; throws Error(refused) when it does not fit.
std::size_t product_of_sizes(std::size_t n, std::size_t size);
/// Zeroed memory aligned to 64 bytes (2 MiB and advised as huge pages from 4 MiB on). Throws
/// Error(refused).
void* allocate_aligned(std::size_t n_bytes);
void free_aligned(void* memory, std::size_t n_bytes) noexcept;
/// Ask the kernel to put what is resident on huge pages now, where its first touch got small ones.
/// Best effort: kernels before 6.1 cannot, and a kernel may have none to give.
void collapse_to_huge_pages(void* memory, std::size_t n_bytes) noexcept;
} // namespace detail

template <class T>
class AlignedBuffer {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t n)
        : data_(static_cast<T*>(detail::allocate_aligned(detail::product_of_sizes(n, sizeof(T)))),
                Free{n * sizeof(T)}),
          size_(n) {}

    [[nodiscard]] T* data() noexcept { return data_.get(); }
    [[nodiscard]] const T* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_ * sizeof(T); }
    [[nodiscard]] T& operator[](std::size_t i) noexcept { return data_.get()[i]; }
    [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return data_.get()[i]; }
    /// Once a large buffer has been filled: see detail::collapse_to_huge_pages.
    void collapse_to_huge_pages() noexcept { detail::collapse_to_huge_pages(data(), size_bytes()); }
    [[nodiscard]] std::span<T> span() noexcept { return {data(), size_}; }
    [[nodiscard]] std::span<const T> span() const noexcept { return {data(), size_}; }

  private:
    struct Free {
        std::size_t n_bytes = 0;
        void operator()(T* memory) const noexcept { detail::free_aligned(memory, n_bytes); }
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_ = 0;
};

} // namespace pillar
