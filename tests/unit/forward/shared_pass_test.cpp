// How a team divides the products of a layer: everything once, only where it may be cut, nobody
// idle for long. Shapes are those of published models.

#include "blocks/shared_pass.hpp"

#include "pillar/partition/partition.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

namespace pillar::forward {
namespace {

struct Shape {
    const char* name;
    std::size_t dim, n_heads, n_kv_heads, head_dim, ffn;
};
constexpr Shape shapes[] = {
    {"SmolLM2-135M", 576, 9, 3, 64, 1536},     {"SmolLM2-360M", 960, 15, 5, 64, 2560},
    {"SmolLM2-1.7B", 2048, 32, 32, 64, 8192},  {"TinyLlama-1.1B", 2048, 32, 4, 64, 5632},
    {"Llama-3.2-1B", 2048, 32, 8, 64, 8192},   {"Llama-3.2-3B", 3072, 24, 8, 128, 8192},
    {"Llama-3.1-8B", 4096, 32, 8, 128, 14336}, {"Llama-2-7B", 4096, 32, 32, 128, 11008},
    {"Llama-2-13B", 5120, 40, 40, 128, 13824}, {"Mistral-7B-v0.3", 4096, 32, 8, 128, 14336},
    {"Qwen2.5-0.5B", 896, 14, 2, 64, 4864},    {"Qwen2.5-1.5B", 1536, 12, 2, 128, 8960},
    {"Qwen2.5-3B", 2048, 16, 2, 128, 11008},   {"Qwen2.5-7B", 3584, 28, 4, 128, 18944},
    {"Qwen3-0.6B", 1024, 16, 8, 128, 3072},    {"Qwen3-1.7B", 2048, 16, 8, 128, 6144},
    {"Qwen3-4B", 2560, 32, 8, 128, 9728},      {"Qwen3-8B", 4096, 32, 8, 128, 12288},
    {"Phi-3.5-mini", 3072, 32, 32, 96, 8192},  {"Gemma-2-2B", 2304, 8, 4, 256, 9216},
};

/// Query, key and value, in bits a weight: 18 as in Q4_0; the value may have more, as in Q4_K_M.
std::vector<PassMatrix> heads_of(const Shape& s, const partition::Share& share,
                                 std::size_t rows_per_group, std::size_t unit,
                                 std::size_t value_bits = 18) {
    const std::size_t q = share.heads.size() * s.head_dim, kv = share.kv_heads.size() * s.head_dim;
    const std::size_t bytes = rows_per_group * s.dim / 32;
    return {{q, rows_per_group, 18 * bytes, s.head_dim, 2},
            {kv, rows_per_group, 18 * bytes, s.head_dim, unit},
            {kv, rows_per_group, value_bits * bytes, s.head_dim, unit}};
}

/// Gate and up in units of 32 rows.
std::vector<PassMatrix> units_of(const Shape& s, const partition::Share& share) {
    const std::size_t n_units = (share.hidden.size() + 31) / 32;
    return {{n_units, 1, 2 * 18 * s.dim, n_units + 1, 1}};
}

partition::Share share_of(const Shape& s, int n_ranks) {
    return partition::even_share({.n_heads = s.n_heads,
                                  .n_kv_heads = s.n_kv_heads,
                                  .head_dim = s.head_dim,
                                  .hidden_dim = s.ffn,
                                  .vocab_size = 32000},
                                 n_ranks - 1, n_ranks);
}

/// What the slowest thread does beyond an equal share, as a part of it.
double idle_part(const SharedPass& pass, int n_threads) {
    std::uint64_t total = 0, most = 0;
    for (int t = 0; t < n_threads; ++t) {
        total += pass.bytes(t);
        most = std::max(most, pass.bytes(t));
    }
    return static_cast<double>(most) * n_threads / static_cast<double>(total) - 1.0;
}

/// A piece cannot be cut finer than the largest unit of the pass.
double finest_idle_part(std::span<const PassMatrix> matrices, int n_threads) {
    double total = 0, unit = 0;
    for (const PassMatrix& m : matrices) {
        total += static_cast<double>((m.n_rows + m.rows_per_group - 1) / m.rows_per_group *
                                     m.group_bytes);
        unit = std::max(unit, static_cast<double>(m.group_bytes) *
                                  static_cast<double>(std::lcm(m.unit_rows, m.rows_per_group) /
                                                      m.rows_per_group));
    }
    return unit * n_threads / total;
}

TEST(shared_pass, covers_every_group_once_in_order) {
    for (const Shape& s : shapes)
        for (const int n_ranks : {1, 3, 8})
            for (int n_threads = 1; n_threads <= 5; ++n_threads)
                for (const std::size_t rows : {1u, 8u, 16u, 32u}) {
                    const auto matrices = heads_of(s, share_of(s, n_ranks), rows, 32);
                    const SharedPass pass(matrices, n_threads);
                    for (std::size_t m = 0; m < matrices.size(); ++m) {
                        std::size_t next = 0;
                        for (int t = 0; t < n_threads; ++t) {
                            const Range groups = pass.groups(m, t);
                            EXPECT_EQ(groups.begin, next) << s.name;
                            EXPECT_GE(groups.end, groups.begin);
                            next = groups.end;
                        }
                        EXPECT_EQ(next, (matrices[m].n_rows + rows - 1) / rows) << s.name;
                    }
                }
}

TEST(shared_pass, is_cut_where_blocks_of_a_head_begin) {
    for (const std::size_t head_dim : {24u, 64u, 80u, 96u})
        for (const std::size_t rows : {1u, 8u, 16u})
            for (int n_threads = 2; n_threads <= 7; ++n_threads) {
                const PassMatrix matrix{11 * head_dim, rows, 100, head_dim, 32};
                const SharedPass pass({&matrix, 1}, n_threads);
                for (int t = 1; t < n_threads; ++t) {
                    const std::size_t group = pass.groups(0, t).begin;
                    if (group * rows >= matrix.n_rows) continue;
                    EXPECT_EQ(group * rows % head_dim % 32, 0u) << head_dim << " by " << rows;
                }
            }
}

TEST(shared_pass, leaves_no_thread_idle_for_more_than_3_percent_of_a_whole_model) {
    for (const Shape& s : shapes)
        for (int n_threads = 1; n_threads <= 4; ++n_threads) {
            const partition::Share share = share_of(s, 1);
            for (const std::size_t rows : {8u, 16u})
                for (const std::size_t value_bits : {18u, 26u}) {
                    const auto heads = heads_of(s, share, rows, 2, value_bits);
                    const double finest = finest_idle_part(heads, n_threads);
                    const double allowed = value_bits == 18 || finest <= 0.03 ? 0.03 : finest;
                    EXPECT_LE(idle_part(SharedPass(heads, n_threads), n_threads), allowed)
                        << s.name << ", heads, " << n_threads << " threads, groups of " << rows;
                }
            EXPECT_LE(idle_part(SharedPass(units_of(s, share), n_threads), n_threads), 0.03)
                << s.name << ", feed-forward, " << n_threads << " threads";
            // output projection and down: dim rows, divided by Worker::share
            const std::size_t n_groups = s.dim / 16, n = static_cast<std::size_t>(n_threads);
            const double most = static_cast<double>((n_groups + n - 1) / n);
            EXPECT_LE(most * n_threads / static_cast<double>(n_groups) - 1.0, n == 3 ? 0.04 : 0.0)
                << s.name << ", output, " << n_threads << " threads";
        }
}

TEST(shared_pass, of_a_slice_is_even_up_to_one_unit) {
    for (const Shape& s : shapes)
        for (const int n_ranks : {2, 4, 8})
            for (int n_threads = 2; n_threads <= 4; ++n_threads)
                for (const std::size_t unit : {2u, 32u}) {
                    const partition::Share share = share_of(s, n_ranks);
                    const auto heads = heads_of(s, share, 16, unit);
                    EXPECT_LE(idle_part(SharedPass(heads, n_threads), n_threads),
                              std::max(0.03, finest_idle_part(heads, n_threads)))
                        << s.name << ", heads, " << n_ranks << " ranks, " << n_threads
                        << " threads";
                    const auto units = units_of(s, share);
                    EXPECT_LE(idle_part(SharedPass(units, n_threads), n_threads),
                              std::max(0.03, finest_idle_part(units, n_threads)))
                        << s.name << ", units, " << n_ranks << " ranks, " << n_threads
                        << " threads";
                }
}

TEST(shared_pass, of_nothing_gives_nobody_anything) {
    const PassMatrix nothing[] = {{0, 8, 100, 64, 2}, {0, 8, 100, 64, 2}};
    const SharedPass pass(nothing, 3);
    for (int t = 0; t < 3; ++t) {
        EXPECT_EQ(pass.groups(0, t).size(), 0u);
        EXPECT_EQ(pass.groups(1, t).size(), 0u);
        EXPECT_EQ(pass.bytes(t), 0u);
    }
}

} // namespace
} // namespace pillar::forward
