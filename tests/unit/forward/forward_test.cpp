// The forward pass as a whole: the same bits however a step is cut and shared, and how often the
// team meets in a layer.

#include "pillar/forward/transformer.hpp"

#include "pillar/forward/micro_batches.hpp"
#include "support/models/model_files.hpp"
#include "support/random.hpp"

#include <cstring>
#include <gtest/gtest.h>

namespace pillar::forward {

using namespace model;
namespace {

using support::ModelFile;
using support::OneRank;
using support::TinyModel;

constexpr std::size_t context = 1024;

/// Token of a position of a sequence.
std::int32_t token_at(std::int32_t sequence, std::int32_t position) {
    return static_cast<std::int32_t>(
        3 + support::Random(static_cast<std::uint64_t>(sequence * 5000 + position)).below(300));
}

void append(std::vector<Row>& rows, std::int32_t sequence, std::int32_t first, std::int32_t n) {
    for (std::int32_t i = 0; i < n; ++i)
        rows.push_back({token_at(sequence, first + i), first + i, sequence, false});
}

TransformerOptions options_for(kernels::CacheType type) {
    TransformerOptions options;
    options.n_context = context;
    options.max_sequences = 3;
    options.max_rows = context;
    options.max_logit_rows = 3;
    options.cache_types = type;
    return options;
}

/// The logits of the last row after `n` positions of a sequence: the first `n_before` in one step,
/// the rest in chunks.
std::vector<float> logits_after(OneRank& rank, std::int32_t sequence, std::int32_t n,
                                std::int32_t n_before, std::int32_t chunk = 1) {
    std::span<const float> logits;
    for (std::int32_t first = 0; first < n;) {
        const std::int32_t size =
            std::min(first == 0 && n_before > 0 ? n_before : chunk, n - first);
        std::vector<Row> rows;
        append(rows, sequence, first, size);
        rows.back().want_logits = true;
        logits = rank.transformer().forward(rank.comm(), rows);
        first += size;
    }
    return {logits.begin(), logits.end()};
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TinyModel model_with(std::uint32_t n_heads, std::uint32_t n_kv_heads, std::uint32_t head_dim) {
    return {.n_layers = 2,
            .dim = 96,
            .n_heads = n_heads,
            .n_kv_heads = n_kv_heads,
            .head_dim = head_dim,
            .ffn = 224,
            .context = context};
}

/// A layer that sees a window of 270 positions, one that sees all.
TinyModel model_with_window(std::uint32_t n_heads, std::uint32_t n_kv_heads,
                            std::uint32_t head_dim) {
    TinyModel options = model_with(n_heads, n_kv_heads, head_dim);
    options.architecture = "gemma3";
    options.window = 270;
    options.window_pattern = 2;
    return options;
}

class Forward : public testing::TestWithParam<std::tuple<TinyModel, kernels::CacheType>> {
  protected:
    ModelFile model_{std::get<0>(GetParam())};
    TransformerOptions options_ = options_for(std::get<1>(GetParam()));
    std::string_view best_ = kernels::families()[kernels::best_family()]->name;
};

TEST_P(Forward, gives_the_same_bits_for_every_chunk_team_and_family) {
    constexpr std::int32_t n = 700; // three pages
    OneRank plain(model_, options_, 1);
    const std::vector<float> expected = logits_after(plain, 0, n, n);
    const auto compare = [&](std::string_view family, int n_threads, std::int32_t n_before,
                             std::int32_t chunk) {
        OneRank rank(model_, options_, n_threads, family);
        EXPECT_TRUE(same_bits(logits_after(rank, 0, n, n_before, chunk), expected))
            << family << ", " << n_threads << " threads, " << n_before << ", then chunks of "
            << chunk;
    };
    for (const int n_threads : {1, 2, 3, 4}) {
        compare(best_, n_threads, n, 0);
        compare(best_, n_threads, 690, 1);
        compare(best_, n_threads, 680, 3);
    }
    compare(best_, 3, 0, 37);
    compare(best_, 2, 0, 256);
    compare("integer", 2, 690, 2);
}

TEST_P(Forward, gives_a_sequence_the_same_bits_in_any_company) {
    const std::int32_t depths[] = {600, 5, 300};
    std::vector<std::vector<float>> alone;
    OneRank one(model_, options_, 1, best_);
    for (std::int32_t s = 0; s < 3; ++s)
        alone.push_back(logits_after(one, s, depths[s] + 1, depths[s] + 1));
    for (const int n_threads : {1, 2, 3, 4}) {
        OneRank rank(model_, options_, n_threads, best_);
        for (std::int32_t s = 0; s < 3; ++s) logits_after(rank, s, depths[s] - 2, depths[s] - 2);
        const auto step = [&](std::int32_t rows_each, std::int32_t first) {
            std::vector<Row> rows;
            for (std::int32_t s = 0; s < 3; ++s) {
                append(rows, s, depths[s] + first, rows_each);
                rows.back().want_logits = true;
            }
            return rank.transformer().forward(rank.comm(), rows);
        };
        step(2, -2);                                      // six rows: shared by rows
        const std::span<const float> logits = step(1, 0); // three: shared by pages
        ASSERT_EQ(logits.size(), 3 * alone[0].size());
        for (std::size_t s = 0; s < 3; ++s)
            EXPECT_TRUE(same_bits(logits.subspan(s * alone[0].size(), alone[0].size()), alone[s]))
                << "sequence " << s << ", " << n_threads << " threads";
    }
}

TinyModel with_experts(TinyModel model) {
    model.n_experts = 13;
    model.n_experts_used = 3;
    return model;
}

TinyModel gpt_oss(TinyModel model) {
    model.architecture = "gpt-oss";
    return with_experts(model);
}

INSTANTIATE_TEST_SUITE_P(
    Models, Forward,
    testing::Values(std::tuple{model_with(3, 1, 32), kernels::CacheType::f16},
                    std::tuple{with_experts(model_with(4, 2, 32)), kernels::CacheType::f16},
                    std::tuple{model_with_window(3, 1, 32), kernels::CacheType::f16},
                    std::tuple{model_with_window(6, 2, 80), kernels::CacheType::q8_0},
                    std::tuple{gpt_oss(model_with(3, 1, 40)), kernels::CacheType::f16},
                    std::tuple{model_with(6, 2, 80), kernels::CacheType::f16},
                    std::tuple{model_with(7, 1, 24), kernels::CacheType::q8_0},
                    std::tuple{model_with(7, 1, 24), kernels::CacheType::q4_0},
                    std::tuple{model_with_window(6, 2, 80), kernels::CacheType::q4_0},
                    std::tuple{model_with(4, 4, 64), kernels::CacheType::f32}));

TEST(forward, goes_on_from_wherever_a_window_still_lets_a_sequence_be_cut) {
    const ModelFile model(model_with_window(4, 2, 32));
    TransformerOptions options = options_for(kernels::CacheType::f16);
    options.max_sequences = 1;
    options.max_rows = 64;
    constexpr std::int32_t n = 900, kept = 890;
    OneRank rank(model, options, 2);
    Transformer& transformer = rank.transformer();
    const std::size_t n_pages = transformer.free_pages();
    const std::vector<float> expected = logits_after(rank, 0, n, 64, 64);
    EXPECT_TRUE(transformer.keeps(0, kept));
    EXPECT_FALSE(transformer.keeps(0, 100)); // position 100 sees all before it
    transformer.truncate(0, kept);
    std::vector<Row> rows;
    append(rows, 0, kept, n - kept);
    rows.back().want_logits = true;
    EXPECT_TRUE(same_bits(transformer.forward(rank.comm(), rows), expected));
    transformer.truncate(0, 0);
    EXPECT_EQ(transformer.free_pages(), n_pages);
    EXPECT_TRUE(same_bits(logits_after(rank, 0, n, 0, 33), expected));
}

TEST(forward, keeps_no_more_of_a_window_than_it_and_a_chunk) {
    TransformerOptions options = options_for(kernels::CacheType::f16);
    options.n_context = 32768;
    options.max_sequences = 1;
    options.max_rows = 256;
    TinyModel tiny = model_with_window(4, 2, 32);
    tiny.n_layers = 6;
    tiny.window_pattern = 6;
    tiny.context = 32768;
    const ModelFile model(tiny);
    const auto share = partition::even_share(model.h().sizes(), 0, 1);
    const auto need = [&](std::size_t n_context) {
        options.n_context = n_context;
        return memory_need(model.file(), model.h(), share, *kernels::find_family("integer"),
                           options, 1)
            .kv_cache;
    };
    const std::uint64_t page = std::uint64_t{2} * 2 * 256 * 32 * 2; // of a layer
    EXPECT_EQ(need(32768), (128 + 5 * 4) * page);                   // 270 + 255 touch 4 pages
    EXPECT_EQ(need(256), 6 * page);
    options.n_context = 32768;
    OneRank rank(model, options);
    EXPECT_EQ(rank.transformer().kv_bytes(), (128 + 5 * 4) * page);
}

/// Barriers of the team in one layer for a step of `n_rows` at a depth: what two more layers cost.
std::size_t counted_barriers_a_layer(TinyModel options, std::int32_t depth, std::int32_t n_rows,
                                     int n_threads, int n_ranks = 1) {
    std::size_t barriers[2];
    for (const std::uint32_t n_layers : {1u, 3u}) {
        options.n_layers = n_layers;
        const ModelFile model(options);
        OneRank rank(model, options_for(kernels::CacheType::f16), n_threads,
                     kernels::families()[kernels::best_family()]->name, n_ranks);
        if (depth > 0) logits_after(rank, 0, depth, depth);
        const std::size_t before = rank.team().barrier().n_barriers();
        std::vector<Row> rows;
        append(rows, 0, depth, n_rows);
        rows.back().want_logits = true;
        rank.transformer().forward(rank.comm(), rows);
        barriers[n_layers / 2] = rank.team().barrier().n_barriers() - before;
    }
    return (barriers[1] - barriers[0]) / 2;
}

TEST(forward, meets_at_most_7_times_a_layer) {
    EXPECT_EQ(counted_barriers_a_layer(model_with(8, 4, 32), 0, 1, 2),
              5u); // decode: heads are enough
    EXPECT_EQ(counted_barriers_a_layer(model_with(3, 1, 32), 700, 1, 2),
              6u); // decode: pages are shared
    EXPECT_EQ(counted_barriers_a_layer(model_with(6, 2, 80), 700, 1, 2),
              6u); // heads that share blocks
    EXPECT_EQ(counted_barriers_a_layer(model_with(3, 1, 32), 0, 300, 2), 7u); // a prompt
    EXPECT_EQ(counted_barriers_a_layer(model_with(6, 2, 80), 0, 300, 3), 7u);
}

TEST(forward, meets_as_often_as_the_cost_model_counts) {
    for (const int n_ranks : {1, 2})
        for (const std::int32_t n_rows : {1, 4, 5, 63, 64, 300})
            EXPECT_EQ(counted_barriers_a_layer(model_with(8, 4, 32), 0, n_rows, 2, n_ranks),
                      barriers_a_layer(static_cast<std::size_t>(n_rows), n_ranks))
                << n_rows << " rows on " << n_ranks;
}

TEST(forward, meets_as_often_with_experts_as_the_cost_model_counts) {
    TinyModel model = model_with(8, 4, 32);
    model.n_experts = 7;
    for (const int n_ranks : {1, 2})
        for (const std::int32_t n_rows : {1, 4, 5, 64})
            EXPECT_EQ(counted_barriers_a_layer(model, 0, n_rows, 2, n_ranks),
                      barriers_a_layer(static_cast<std::size_t>(n_rows), n_ranks, true))
                << n_rows << " rows on " << n_ranks;
}

TEST(forward, meets_as_often_with_joint_norms_as_the_cost_model_counts) {
    TinyModel model = model_with(8, 4, 32);
    model.architecture = "olmo2";
    for (const int n_ranks : {1, 2})
        for (const std::int32_t n_rows : {1, 4, 5, 64})
            EXPECT_EQ(counted_barriers_a_layer(model, 0, n_rows, 2, n_ranks),
                      barriers_a_layer(static_cast<std::size_t>(n_rows), n_ranks, false, true))
                << n_rows << " rows on " << n_ranks;
}

TEST(first_micro_batch, is_about_half_of_many_rows_on_several_ranks) {
    for (std::size_t n = 1; n < 600; ++n) {
        EXPECT_EQ(first_micro_batch(n, 1), n);
        const std::size_t first = first_micro_batch(n, 3);
        if (n < min_micro_batched_rows) {
            EXPECT_EQ(first, n);
        } else {
            EXPECT_EQ(first % micro_batch_unit, 0u);
            EXPECT_LE(n - first, n / 2); // what the second has room for
            EXPECT_GE(n - first, n / 2 - micro_batch_unit);
        }
    }
}

} // namespace
} // namespace pillar::forward
