// Speed of every kernel family on one core: products by format and number of columns, attention,
// and the operators on vectors. Products report GB/s of file bytes (what decode is judged by) and
// GMAC/s (what prefill is judged by); "cache" matrices fit the second-level cache, "memory" ones
// do not fit the third.
//   bench_kernels --benchmark_filter='^avx2/q4_0'
//   bench_kernels --benchmark_filter='^(decode|prefill)/avx512'    bench_shares.hpp

#include "bench_shares.hpp"

#include "pillar/kernels/family.hpp"

#include <benchmark/benchmark.h>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace pillar;
using namespace pillar::kernels;

constexpr std::size_t memory_bytes = std::size_t{1} << 30; ///< of a matrix that no cache holds

struct Problem {
    const Family* family;
    quant::Type type;
    std::size_t n_rows, n_columns, n_activations;
};

std::mt19937_64& generator() {
    static std::mt19937_64 random(1);
    return random;
}

float random_float() {
    return std::normal_distribution<float>()(generator());
}

/// One row of the file: random bytes whose floats, whatever their type, are of ordinary size.
std::vector<std::byte> random_row(quant::Type type, std::size_t n_columns) {
    const quant::TypeInfo& format = quant::info(type);
    std::vector<std::byte> row(n_columns / format.block_weights * format.block_bytes);
    for (std::byte& byte : row) byte = static_cast<std::byte>(0x2C | (generator()() & 0x13));
    return row;
}

Matrix make_matrix(const Problem& p) {
    const MatrixShape shape{p.type, p.n_rows, p.n_columns, {{0, p.n_columns}}};
    Matrix w(*p.family, shape);
    const std::vector<std::byte> row = random_row(p.type, p.n_columns);
    const std::vector<const std::byte*> rows(p.family->rows_per_group(p.type), row.data());
    for (std::size_t g = 0; g < w.n_groups(); ++g) w.pack_group(g, rows);
    return w;
}

Activations make_activations(const Problem& p) {
    const Slice whole{0, p.n_columns};
    const ActivationLayout layout({&whole, 1});
    Activations x(layout, p.n_activations, p.family->panel_columns);
    for (std::size_t c = 0; c < p.n_activations; ++c) {
        for (std::size_t i = 0; i < p.n_columns; ++i) x.column(c)[i] = random_float();
        p.family->quantize(x, c, 0, layout.n_blocks);
    }
    return x;
}

void product(benchmark::State& state, const Problem& p) {
    const Matrix w = make_matrix(p);
    const Activations x = make_activations(p);
    std::vector<float> y(p.n_rows * p.n_activations);
    for (auto _ : state) {
        multiply(w, x, y.data(), p.n_rows, 0, w.n_groups());
        benchmark::ClobberMemory();
    }
    const quant::TypeInfo& format = quant::info(p.type);
    const double weights = static_cast<double>(p.n_rows) * static_cast<double>(p.n_columns);
    const double bytes = weights / static_cast<double>(format.block_weights) *
                         static_cast<double>(format.block_bytes);
    const double runs = static_cast<double>(state.iterations()) * 1e-9;
    using benchmark::Counter;
    state.counters["GB/s"] = Counter(bytes * runs, Counter::kIsRate);
    state.counters["GMAC/s"] =
        Counter(weights * static_cast<double>(p.n_activations) * runs, Counter::kIsRate);
}

void packing(benchmark::State& state, const Family* family, quant::Type type) {
    const std::size_t n_columns = 4096;
    Matrix w(*family, {type, family->rows_per_group(type), n_columns, {{0, n_columns}}});
    const std::vector<std::byte> row = random_row(type, n_columns);
    const std::vector<const std::byte*> rows(family->rows_per_group(type), row.data());
    for (auto _ : state) {
        w.pack_group(0, rows);
        benchmark::ClobberMemory();
    }
    using benchmark::Counter;
    state.counters["GB/s"] = Counter(static_cast<double>(row.size() * rows.size()) * 1e-9 *
                                         static_cast<double>(state.iterations()),
                                     Counter::kIsRate);
}

/// `n_queries` heads of a group over full pages that lie one after another, `n_pages` of them:
/// a few stay in a cache, many come from memory as in decoding at a depth. GB/s of cache read.
void attention(benchmark::State& state, const Family* family, CacheType type, std::size_t head_dim,
               std::size_t n_queries, std::size_t n_pages) {
    const std::size_t half = page_bytes(type, head_dim);
    AlignedBuffer<std::byte> pages(2 * half * (n_pages + 1)); // the last one is only asked for
    std::vector<float> query(n_queries * head_dim), o(n_queries * head_dim);
    std::vector<float> scores(queries_at_once * page_positions);
    std::vector<PageQuery> queries(n_queries);
    for (float& q : query) q = random_float();
    for (std::size_t i = 0; i < n_queries; ++i)
        queries[i] = {
            query.data() + i * head_dim, 0, page_positions, {0, 0, o.data() + i * head_dim}};
    const auto page = [&](std::size_t p) {
        std::byte* const keys = pages.data() + 2 * half * p;
        return PageView{keys, keys + half, keys + 2 * half};
    };
    for (std::size_t slot = 0; slot < page_positions; ++slot) {
        family->store_key(query.data(), pages.data(), type, head_dim, slot, 0, head_dim);
        family->store_value(query.data(), pages.data() + half, type, head_dim, slot, 0, head_dim);
    }
    for (std::size_t p = 1; p < n_pages; ++p)
        std::memcpy(pages.data() + 2 * half * p, pages.data(), 2 * half);
    for (auto _ : state)
        for (std::size_t p = 0; p < n_pages; ++p) {
            family->attend_page(queries.data(), n_queries, page(p), type, head_dim, {0.1f},
                                scores.data());
            benchmark::ClobberMemory();
        }
    using benchmark::Counter;
    const double runs = 1e-9 * static_cast<double>(n_pages * state.iterations());
    state.counters["GB/s"] = Counter(static_cast<double>(2 * half) * runs, Counter::kIsRate);
    state.counters["GFMA/s"] = Counter(
        static_cast<double>(2 * n_queries * head_dim * page_positions) * runs, Counter::kIsRate);
}

/// Operators on vectors of 4096 floats, in floats a second.
void vector_operator(benchmark::State& state, const Family* family, const std::string& which) {
    const std::size_t n = 4096;
    std::vector<float> a(n), b(n), out(n);
    for (std::size_t i = 0; i < n; ++i) a[i] = b[i] = random_float();
    Activations x = make_activations({family, quant::Type::q4_0, 1, n, 1});
    for (auto _ : state) {
        if (which == "rms_norm") family->rms_norm(a.data(), b.data(), n, 1e-5f, out.data());
        if (which == "swiglu") family->swiglu(a.data(), b.data(), n, out.data());
        if (which == "geglu") family->geglu(a.data(), b.data(), n, out.data());
        if (which == "quantize") family->quantize(x, 0, 0, n / block_size);
        benchmark::ClobberMemory();
    }
    using benchmark::Counter;
    state.counters["Gfloat/s"] = Counter(
        1e-9 * static_cast<double>(n) * static_cast<double>(state.iterations()), Counter::kIsRate);
}

void add_products(const Family* family) {
    const std::string name(family->name);
    for (const quant::Type type : quant::all_types) {
        const std::string format = name + "/" + std::string(quant::info(type).name);
        const auto add = [&](const std::string& where, const Problem& p) {
            benchmark::RegisterBenchmark(
                (format + "/" + where + "/" + std::to_string(p.n_activations)).c_str(), product, p);
        };
        add("cache", {family, type, 256, 2048, 1});
        for (const std::size_t n : {2u, 4u, 8u, 16u, 128u})
            add("cache", {family, type, 256, 2048, n});
        const std::size_t row_bytes =
            8192 / quant::info(type).block_weights * quant::info(type).block_bytes;
        for (const std::size_t n : {1u, 4u})
            if (!family->float_activations)
                add("memory", {family, type, memory_bytes / row_bytes, 8192, n});
        benchmark::RegisterBenchmark((format + "/pack").c_str(), packing, family, type);
    }
}

} // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    for (const Family* family : families()) {
        if (!family->supported()) continue;
        add_products(family);
        const std::string name(family->name);
        for (const CacheType type : {CacheType::f32, CacheType::f16, CacheType::q8_0})
            for (const std::size_t head_dim : {64u, 128u})
                for (const std::size_t n_queries : {1u, 3u, 4u, 7u, 64u})
                    for (const std::size_t n_pages : {1u, 4096u}) {
                        if (n_pages > 1 && (n_queries > 7 || family->float_activations)) continue;
                        const std::string title =
                            name + "/attention/" + std::string(name_of(type)) + "/" +
                            std::to_string(head_dim) + "/" + std::to_string(n_queries) +
                            (n_pages > 1 ? "/memory" : "/cache");
                        benchmark::RegisterBenchmark(title.c_str(), attention, family, type,
                                                     head_dim, n_queries, n_pages);
                    }
        for (const char* which : {"rms_norm", "swiglu", "geglu", "quantize"})
            benchmark::RegisterBenchmark((name + "/" + which).c_str(), vector_operator, family,
                                         which);
    }
    bench::register_shares();
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
