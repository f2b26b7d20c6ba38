#pragma once
// What the loops over a page's keys and over its values share (attention_kernel.hpp): steps written
// out for registers, and asking for memory ahead.

#include "attention_parts.hpp"

#include <utility>

namespace pillar::kernels {
namespace {

/// step(0) … step(n − 1) written out, so that arrays which the steps index are registers.
template <std::size_t n, class Step>
[[gnu::always_inline]] inline void written_out(const Step& step) noexcept {
    [&]<std::size_t... i>(std::index_sequence<i...>) __attribute__((always_inline)) {
        (step(i), ...);
    }
    (std::make_index_sequence<n>());
}

/// step(q, v) for Q queries × V vectors.
template <std::size_t Q, std::size_t V, class Step>
[[gnu::always_inline]] inline void written_out(const Step& step) noexcept {
    written_out<Q * V>([&](std::size_t i) __attribute__((always_inline)) { step(i / V, i % V); });
}

/// Positions [begin, end) of a page.
struct Positions {
    std::size_t begin, end;
};

/// The numbers of one page as they lie in memory, and what is read after them. Scales are few.
struct PageBytes {
    const char* keys;
    const char* values;
    const char* next_page;
    std::size_t n_key_bytes, n_value_bytes;

    /// What follows byte `at` of the keys: the values come after them, then the next page.
    const char* from_keys(std::size_t at) const noexcept {
        return at < n_key_bytes ? keys + at : from_values(at - n_key_bytes);
    }
    const char* from_values(std::size_t at) const noexcept {
        return at < n_value_bytes ? values + at : next_page + (at - n_value_bytes);
    }
};

template <class Simd>
void prefetch_all(const char* p, std::size_t n_bytes) noexcept {
    for (std::size_t i = 0; i < n_bytes; i += 64) Simd::prefetch(p + i);
}

} // namespace
} // namespace pillar::kernels
