#pragma once
// How attention_kernel.hpp reads a page of each cache type with the vectors of `Simd`: a vector of
// keys over positions [j, …) of dimension d, a vector of values over dimensions [d, …) of position
// j. A block of 32 dimensions shares its scales: those of the keys are vectors, those of the values
// one number a position.

#include "pillar/kernels/family.hpp"

namespace pillar::kernels {
namespace {

/// f32 and f16.
template <class Simd, class Element>
struct PlainPage {
    using Floats = typename Simd::Floats;
    static constexpr std::size_t element_bytes = sizeof(Element);
    struct KeyScales {};
    struct ValueScales {
        ValueScales(const PlainPage&, std::size_t, std::size_t, std::size_t) noexcept {}
    };
    const Element* keys;
    const Element* values;
    std::size_t head_dim;

    PlainPage(const PageView& page, std::size_t dim) noexcept
        : keys(static_cast<const Element*>(page.keys)),
          values(static_cast<const Element*>(page.values)), head_dim(dim) {}
    KeyScales key_scales(std::size_t, std::size_t) const noexcept { return {}; }
    Floats key(std::size_t d, std::size_t j, KeyScales) const noexcept {
        return load(keys + d * page_positions + j);
    }
    Floats value(std::size_t j, std::size_t d, const ValueScales&) const noexcept {
        return load(values + j * head_dim + d);
    }
    Floats first_values(std::size_t j, std::size_t d, std::size_t n,
                        const ValueScales&) const noexcept {
        const Element* const p = values + j * head_dim + d;
        if constexpr (sizeof(Element) == sizeof(float))
            return Simd::load_first(p, n);
        else
            return Simd::load_first_f16(p, n);
    }

  private:
    static Floats load(const Element* p) noexcept {
        if constexpr (sizeof(Element) == sizeof(float))
            return Simd::load(p);
        else
            return Simd::load_f16(p);
    }
};

/// q8_0.
template <class Simd>
struct Q8Page {
    using Floats = typename Simd::Floats;
    static constexpr std::size_t element_bytes = 1;
    using KeyScales = Floats;
    /// Of block b, positions [begin, end).
    struct ValueScales {
        ValueScales(const Q8Page& page, std::size_t b, std::size_t begin,
                    std::size_t end) noexcept {
            const std::uint16_t* const from = page.value_halves + b * page_positions;
            for (std::size_t j = begin / Simd::lanes * Simd::lanes; j < end; j += Simd::lanes)
                Simd::store(of_position + j, Simd::load_f16(from + j));
        }
        alignas(64) float of_position[page_positions];
    };
    const std::int8_t* keys;
    const std::int8_t* values;
    const std::uint16_t* key_halves;
    const std::uint16_t* value_halves;
    std::size_t head_dim;

    Q8Page(const PageView& page, std::size_t dim) noexcept
        : keys(static_cast<const std::int8_t*>(page.keys)),
          values(static_cast<const std::int8_t*>(page.values)),
          key_halves(reinterpret_cast<const std::uint16_t*>(keys + page_positions * dim)),
          value_halves(reinterpret_cast<const std::uint16_t*>(values + page_positions * dim)),
          head_dim(dim) {}
    KeyScales key_scales(std::size_t b, std::size_t j) const noexcept {
        return Simd::load_f16(key_halves + b * page_positions + j);
    }
    Floats key(std::size_t d, std::size_t j, KeyScales scales) const noexcept {
        return Simd::mul(scales, Simd::load_i8(keys + d * page_positions + j));
    }
    Floats value(std::size_t j, std::size_t d, const ValueScales& scales) const noexcept {
        return Simd::mul(Simd::set1(scales.of_position[j]),
                         Simd::load_i8(values + j * head_dim + d));
    }
    Floats first_values(std::size_t j, std::size_t d, std::size_t n,
                        const ValueScales& scales) const noexcept {
        return Simd::mul(Simd::set1(scales.of_position[j]),
                         Simd::load_first_i8(values + j * head_dim + d, n));
    }
};

} // namespace
} // namespace pillar::kernels
