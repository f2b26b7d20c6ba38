#pragma once
// How attention_kernel.hpp reads a page of each cache type with the vectors of `Simd`: a vector of
// keys over positions [j, …) of dimension d, a vector of values over dimensions [d, …) of position
// j. A block of 32 dimensions shares its scales: those of the keys are vectors, those of the values
// one number a position. Keys and values may be of different types.

#include "pillar/kernels/family.hpp"

namespace pillar::kernels {
namespace {

struct NoScales {};

/// f32 and f16.
template <class Simd, class Element>
struct PlainElements {
    using Floats = typename Simd::Floats;
    static constexpr std::size_t element_bits = 8 * sizeof(Element);

    static Floats load(const Element* p) noexcept {
        if constexpr (sizeof(Element) == sizeof(float))
            return Simd::load(p);
        else
            return Simd::load_f16(p);
    }
    static Floats load_first(const Element* p, std::size_t n) noexcept {
        if constexpr (sizeof(Element) == sizeof(float))
            return Simd::load_first(p, n);
        else
            return Simd::load_first_f16(p, n);
    }
};

template <class Simd, class Element>
struct PlainKeys : PlainElements<Simd, Element> {
    using Scales = NoScales;
    const Element* keys;

    PlainKeys(const void* page, std::size_t) noexcept : keys(static_cast<const Element*>(page)) {}
    Scales scales(std::size_t, std::size_t) const noexcept { return {}; }
    typename Simd::Floats key(std::size_t d, std::size_t j, Scales) const noexcept {
        return this->load(keys + d * page_positions + j);
    }
};

template <class Simd, class Element>
struct PlainValues : PlainElements<Simd, Element> {
    using Floats = typename Simd::Floats;
    static constexpr std::size_t block = 64; ///< dimensions that Scales stand for
    struct Scales {
        Scales(const PlainValues&, std::size_t, std::size_t, std::size_t) noexcept {}
    };
    const Element* values;
    std::size_t head_dim;

    PlainValues(const void* page, std::size_t dim) noexcept
        : values(static_cast<const Element*>(page)), head_dim(dim) {}
    Floats value(std::size_t j, std::size_t d, const Scales&) const noexcept {
        return this->load(values + j * head_dim + d);
    }
    Floats first_values(std::size_t j, std::size_t d, std::size_t n, const Scales&) const noexcept {
        return this->load_first(values + j * head_dim + d, n);
    }
};

/// The scales that follow the whole numbers of a page: (blocks, 256) f16.
template <class Simd>
struct BlockScales {
    const std::uint16_t* halves;

    BlockScales(const void* page, std::size_t n_bytes) noexcept
        : halves(reinterpret_cast<const std::uint16_t*>(static_cast<const char*>(page) + n_bytes)) {
    }
    /// Of block b and the positions from j on.
    typename Simd::Floats of(std::size_t b, std::size_t j) const noexcept {
        return Simd::load_f16(halves + b * page_positions + j);
    }
};

/// Scales of block b, positions [begin, end).
template <class Simd>
struct ValueScales {
    template <class Values>
    ValueScales(const Values& values, std::size_t b, std::size_t begin, std::size_t end) noexcept {
        for (std::size_t j = begin / Simd::lanes * Simd::lanes; j < end; j += Simd::lanes)
            Simd::store(of_position + j, values.halves.of(b, j));
    }
    alignas(64) float of_position[page_positions];
};

/// q8_0.
template <class Simd>
struct Q8Keys {
    using Scales = typename Simd::Floats;
    static constexpr std::size_t element_bits = 8;
    const std::int8_t* keys;
    BlockScales<Simd> halves;

    Q8Keys(const void* page, std::size_t dim) noexcept
        : keys(static_cast<const std::int8_t*>(page)), halves(page, page_positions * dim) {}
    Scales scales(std::size_t b, std::size_t j) const noexcept { return halves.of(b, j); }
    Scales key(std::size_t d, std::size_t j, Scales scale) const noexcept {
        return Simd::mul(scale, Simd::load_i8(keys + d * page_positions + j));
    }
};

template <class Simd>
struct Q8Values {
    using Floats = typename Simd::Floats;
    using Scales = ValueScales<Simd>;
    static constexpr std::size_t element_bits = 8;
    static constexpr std::size_t block = cache_block;
    const std::int8_t* values;
    BlockScales<Simd> halves;
    std::size_t head_dim;

    Q8Values(const void* page, std::size_t dim) noexcept
        : values(static_cast<const std::int8_t*>(page)), halves(page, page_positions * dim),
          head_dim(dim) {}
    Floats value(std::size_t j, std::size_t d, const Scales& scales) const noexcept {
        return Simd::mul(Simd::set1(scales.of_position[j]),
                         Simd::load_i8(values + j * head_dim + d));
    }
    Floats first_values(std::size_t j, std::size_t d, std::size_t n,
                        const Scales& scales) const noexcept {
        return Simd::mul(Simd::set1(scales.of_position[j]),
                         Simd::load_first_i8(values + j * head_dim + d, n));
    }
};

/// q4_0: where a dimension lies.
struct HalfByte {
    std::size_t row; ///< of bytes
    bool is_high;
    explicit HalfByte(std::size_t d) noexcept
        : row(d / cache_block * (cache_block / 2) + d % (cache_block / 2)),
          is_high(d % cache_block >= cache_block / 2) {}
    /// Bytes of a position.
    static std::size_t rows(std::size_t head_dim) noexcept {
        return (head_dim + cache_block - 1) / cache_block * (cache_block / 2);
    }
};

template <class Simd>
struct Q4Keys {
    using Scales = typename Simd::Floats;
    static constexpr std::size_t element_bits = 4;
    const std::uint8_t* keys;
    BlockScales<Simd> halves;

    Q4Keys(const void* page, std::size_t dim) noexcept
        : keys(static_cast<const std::uint8_t*>(page)),
          halves(page, page_positions * HalfByte::rows(dim)) {}
    Scales scales(std::size_t b, std::size_t j) const noexcept { return halves.of(b, j); }
    Scales key(std::size_t d, std::size_t j, Scales scale) const noexcept {
        const HalfByte at(d);
        return Simd::mul(scale, Simd::load_u4(keys + at.row * page_positions + j, at.is_high));
    }
};

template <class Simd>
struct Q4Values {
    using Floats = typename Simd::Floats;
    using Scales = ValueScales<Simd>;
    static constexpr std::size_t element_bits = 4;
    static constexpr std::size_t block = cache_block; ///< a vector lies in one half of it
    const std::uint8_t* values;
    BlockScales<Simd> halves;
    std::size_t stride;

    Q4Values(const void* page, std::size_t dim) noexcept
        : values(static_cast<const std::uint8_t*>(page)),
          halves(page, page_positions * HalfByte::rows(dim)), stride(HalfByte::rows(dim)) {}
    Floats value(std::size_t j, std::size_t d, const Scales& scales) const noexcept {
        const HalfByte at(d);
        return Simd::mul(Simd::set1(scales.of_position[j]),
                         Simd::load_u4(values + j * stride + at.row, at.is_high));
    }
    Floats first_values(std::size_t j, std::size_t d, std::size_t n,
                        const Scales& scales) const noexcept {
        const HalfByte at(d);
        return Simd::mul(Simd::set1(scales.of_position[j]),
                         Simd::load_first_u4(values + j * stride + at.row, n, at.is_high));
    }
};

} // namespace
} // namespace pillar::kernels
