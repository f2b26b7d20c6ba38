#pragma once
// A kernel family: the operators of the forward pass for one instruction set, behind one table of
// functions. `reference` (f32 activations) and `integer` (int8 activations) are plain loops that a
// reader can check; every fast family gives the bits of `integer`. The family of a run is the best
// that all ranks have.
//
// All functions work on a part of the outputs (the caller divides them among threads), allocate
// nothing, throw nothing.

#include "pillar/core/half.hpp"
#include "pillar/kernels/activations.hpp"
#include "pillar/kernels/matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pillar::kernels {

/// How keys or values are kept. q8_0: int8 in blocks of 32 along the head dimension, an f16 scale
/// each; a head whose size is no multiple of 32 ends in a shorter block. q4_0: the same with 4
/// bits, two dimensions that are 16 apart in a byte.
enum class CacheType : std::uint8_t { f32, f16, q8_0, q4_0 };
std::string_view name_of(CacheType type) noexcept;
/// Whether 32 dimensions share a scale, so that they are stored together.
constexpr bool has_blocks(CacheType type) noexcept {
    return type == CacheType::q8_0 || type == CacheType::q4_0;
}
/// Whether heads are rotated (rotate_head) before they are stored. Few bits are only enough for
/// numbers of about the same size.
constexpr bool is_rotated(CacheType type) noexcept {
    return type == CacheType::q4_0;
}

/// Keys and values may be kept differently.
struct CacheTypes {
    CacheTypes(CacheType both) noexcept : keys(both), values(both) {}
    CacheTypes(CacheType keys_, CacheType values_) noexcept : keys(keys_), values(values_) {}
    friend bool operator==(const CacheTypes&, const CacheTypes&) = default;
    CacheType keys, values;
};
/// "f16" where both are, else "q8_0 and q4_0".
std::string name_of(CacheTypes types);

inline constexpr std::size_t page_positions = 256; ///< positions a page of the KV cache
inline constexpr std::size_t cache_block = 32;     ///< dimensions that share a scale

/// Bytes of the keys, or of the values, of one KV head in one page.
std::size_t page_bytes(CacheType type, std::size_t head_dim) noexcept;
/// Of both.
std::size_t page_bytes(CacheTypes types, std::size_t head_dim) noexcept;

/// x ← H·x / √n in each run of n elements, n the largest power of two that divides head_dim: H is
/// the Hadamard matrix in its natural order. A rotation and its own inverse: products of rotated
/// heads are those of the heads, a large number is spread over all.
void rotate_head(float* head, std::size_t head_dim) noexcept;

/// One page of one KV head, as attention reads it.
///   keys   (head_dim, 256)  positions across lanes: q·k runs over the head dimension in order
///   values (256, head_dim)  dimensions across lanes: o runs over positions in order
/// In q8_0 the int8 of each are followed by their scales, f16 (⌈head_dim/32⌉, 256). In q4_0 byte i
/// of the 16 of a block holds dimension i in its low half and i + 16 in its high one, each + 8:
/// keys (⌈head_dim/32⌉, 16, 256), values (256, ⌈head_dim/32⌉, 16), then scales as in q8_0.
struct PageView {
    const void* keys = nullptr;
    const void* values = nullptr;
    const void* next = nullptr; ///< what will be read after this page, if that is known: a hint
};

/// What attention over one page leaves: m = max score, l = Σ exp(s − m), o = Σ exp(s − m)·v,
/// unnormalised.
struct PartialAttention {
    float m;
    float l;
    float* o; ///< (head_dim)
};

/// One query head of one row that looks at a page.
struct PageQuery {
    const float* query; ///< (head_dim)
    /// It sees positions [first_visible, n_visible) of the page, 0 ≤ first_visible < n_visible ≤
    /// 256.
    std::size_t first_visible;
    std::size_t n_visible;
    PartialAttention part; ///< the result; the caller sets part.o
};
/// What becomes of a product q · k before its exponential.
struct ScoreRule {
    float scale = 1.0f; ///< multiplied with
    float cap = 0.0f;   ///< then cap · tanh(score / cap); 0: as it is
};
inline constexpr std::size_t queries_at_once = 8; ///< no kernel holds more scores than these

struct Family {
    std::string_view name;
    bool float_activations;    ///< true: every product takes f32 activations (`reference`)
    std::size_t panel_columns; ///< columns of activations that lie together (Activations)
    /// Groups of rows that share what a product does once a call or a tile: fewer are slower.
    std::size_t tile_groups = 1;
    bool (*supported)() noexcept;

    std::size_t (*rows_per_group)(quant::Type type) noexcept;
    std::size_t (*group_bytes)(const MatrixShape& shape) noexcept;
    void (*pack_group)(const MatrixShape& shape, std::span<const std::byte* const> rows,
                       std::byte* group) noexcept;
    void (*multiply)(const Matrix& w, const Activations& x, float* y, std::size_t y_stride,
                     std::size_t group_begin, std::size_t group_end) noexcept;

    /// Quantise blocks [block_begin, block_end) of column c: amax, dx = amax/127, q =
    /// round(x·(127/amax)) half to even.
    void (*quantize)(Activations& x, std::size_t column, std::size_t block_begin,
                     std::size_t block_end) noexcept;

    /// out[i] = x[i] · (1/√(Σx²/n + eps)) · weight[i]; Σ in 16 virtual lanes. `out` may be `x`.
    void (*rms_norm)(const float* x, const float* weight, std::size_t n, float eps,
                     float* out) noexcept;
    /// Σx² in 16 virtual lanes: rms_norm's, where a norm goes over more than one rank has.
    float (*sum_of_squares)(const float* x, std::size_t n) noexcept;
    /// Rotate pairs (2i, 2i+1) of the first 2·n_pairs elements of one head by cos[i], sin[i]. In
    /// place.
    void (*rope)(float* head, const float* cosine, const float* sine, std::size_t n_pairs) noexcept;
    /// out[i] = gate[i] / (1 + exp(−gate[i])) · up[i]. `out` may be `gate`.
    void (*swiglu)(const float* gate, const float* up, std::size_t n, float* out) noexcept;
    /// The same with gelu in its form with tanh: out[i] = gate[i] / (1 + exp(−2u)) · up[i], u =
    /// √(2/π) · (gate[i] + 0.044715 · gate[i]³).
    void (*geglu)(const float* gate, const float* up, std::size_t n, float* out) noexcept;
    /// x[i] = cap · tanh(x[i] / cap), cap > 0.
    void (*soft_cap)(float* x, std::size_t n, float cap) noexcept;
    /// g = min(gate[i], limit), u = up[i] clamped to ±limit: out[i] = g / (1 + exp(−alpha·g)) ·
    /// (u + 1). `out` may be `gate`. limit > 0.
    void (*swiglu_clamped)(const float* gate, const float* up, float alpha, float limit,
                           std::size_t n, float* out) noexcept;
    /// x[i] = x[i] + y[i]: the residual.
    void (*add)(float* x, const float* y, std::size_t n) noexcept;
    /// x[i] = fma(factor, y[i], x[i]): an expert's share of the feed-forward's sum.
    void (*add_scaled)(float* x, const float* y, float factor, std::size_t n) noexcept;

    /// Attention of several queries over one page, which is read once for a few of them at a time:
    /// the query heads of a KV group × the rows that see the page. s_j = (q·k_j)·scale, capped
    /// where the rule has a cap. Neighbours should see about the same positions. `scores` is
    /// scratch of queries_at_once · 256 floats.
    void (*attend_page)(PageQuery* queries, std::size_t n_queries, const PageView& page,
                        CacheTypes types, std::size_t head_dim, ScoreRule rule,
                        float* scores) noexcept;
    /// a ⊕ b: m = max, factors exp(m_i − m), l = fma(b.l, f_b, a.l·f_a), o likewise; the result
    /// replaces a.
    void (*combine)(PartialAttention& a, const PartialAttention& b, std::size_t head_dim) noexcept;
    /// out[d] = o[d] · (1/l).
    void (*finish_attention)(const PartialAttention& a, std::size_t head_dim, float* out) noexcept;

    /// Store dimensions [begin, end) of one position's key (value), f32, at `slot` of a page,
    /// rounding to the cache's type. `key` (`value`) is the whole head. In q8_0 and q4_0 the range
    /// is one of whole blocks: begin a multiple of 32, end another or head_dim.
    void (*store_key)(const float* key, void* keys, CacheType type, std::size_t head_dim,
                      std::size_t slot, std::size_t begin, std::size_t end) noexcept;
    void (*store_value)(const float* value, void* values, CacheType type, std::size_t head_dim,
                        std::size_t slot, std::size_t begin, std::size_t end) noexcept;

    /// For measurements: the family's int8 dot products on registers alone, `n_rounds` times some
    /// number of them. Returns how many multiplications that were. nullptr: it has no such loop.
    std::uint64_t (*dot_rate)(std::uint64_t n_rounds) noexcept = nullptr;
};

/// All families this binary holds, the plain ones first, then from slowest to fastest.
std::span<const Family* const> families() noexcept;
/// By name; nullptr when this binary has none of that name.
const Family* find_family(std::string_view name) noexcept;
/// The fastest that this CPU supports; `integer` when there is no fast one. Index into families().
std::size_t best_family() noexcept;

} // namespace pillar::kernels
