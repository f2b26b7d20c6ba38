// Each iteration measures the limit and then the products, so that both see the same moment of a
// shared machine; the share is the median of the iterations' ratios.

#include "bench_shares.hpp"

#include "pillar/core/median.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/measure/bandwidth.hpp"
#include "pillar/measure/integer_rate.hpp"
#include "pillar/threads/team.hpp"

#include <benchmark/benchmark.h>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace pillar::bench {

namespace {

using namespace kernels;

constexpr std::size_t n_layers = 16, dim = 2048, kv_dim = 512, hidden = 8192, vocabulary = 128256;
constexpr std::size_t n_slices = 8; ///< of row-parallel matrices
constexpr std::size_t prompt = 128;
constexpr int n_iterations = 9;

std::vector<Slice> slices_of(std::size_t n_columns, std::size_t n) {
    std::vector<Slice> slices;
    for (std::size_t s = 0; s < n; ++s)
        slices.push_back({s * n_columns / n, (s + 1) * n_columns / n});
    return slices;
}

/// The matrices of one layer: q, k, v, attention output, gate, up, down.
std::vector<MatrixShape> layer_shapes(quant::Type type) {
    const auto column_parallel = [&](std::size_t n_rows) {
        return MatrixShape{type, n_rows, dim, slices_of(dim, 1)};
    };
    return {column_parallel(dim),
            column_parallel(kv_dim),
            column_parallel(kv_dim),
            {type, dim, dim, slices_of(dim, n_slices)},
            column_parallel(hidden),
            column_parallel(hidden),
            {type, dim, hidden, slices_of(hidden, n_slices)}};
}

/// One row of a file: random bytes whose floats, whatever their type, are of ordinary size.
std::vector<std::byte> random_row(quant::Type type, std::size_t n_columns) {
    static std::mt19937_64 random(1);
    const quant::TypeInfo& format = quant::info(type);
    std::vector<std::byte> row(n_columns / format.block_weights * format.block_bytes);
    for (std::byte& byte : row) byte = static_cast<std::byte>(0x2C | (random() & 0x13));
    return row;
}

/// Matrices in one allocation, each thread's groups written by that thread.
class Matrices {
  public:
    Matrices(const Family& family, std::vector<MatrixShape> shapes, threads::Team& team) {
        std::size_t n_bytes = 0;
        for (const MatrixShape& shape : shapes) n_bytes += Matrix::packed_bytes(family, shape);
        memory_ = AlignedBuffer<std::byte>(n_bytes);
        std::size_t offset = 0;
        for (MatrixShape& shape : shapes) {
            const std::size_t size = Matrix::packed_bytes(family, shape);
            matrices.emplace_back(family, std::move(shape), memory_.span().subspan(offset, size));
            offset += size;
        }
        for (Matrix& matrix : matrices) fill(matrix, team);
        memory_.collapse_to_huge_pages();
    }
    [[nodiscard]] double n_bytes() const { return static_cast<double>(memory_.size()); }
    [[nodiscard]] double n_weights() const {
        double n = 0;
        for (const Matrix& matrix : matrices)
            n += static_cast<double>(matrix.shape().n_rows) *
                 static_cast<double>(matrix.shape().n_columns);
        return n;
    }

    std::vector<Matrix> matrices;

  private:
    /// Every group is a copy of one.
    static void fill(Matrix& matrix, threads::Team& team) {
        const quant::Type type = matrix.shape().type;
        const std::vector<std::byte> row = random_row(type, matrix.shape().n_columns);
        const std::vector<const std::byte*> rows(matrix.family().rows_per_group(type), row.data());
        AlignedBuffer<std::byte> group(matrix.group_bytes());
        matrix.family().pack_group(matrix.shape(), rows, group.data());
        team.run([&](threads::Worker worker) {
            const Range mine = worker.share(matrix.n_groups());
            for (std::size_t g = mine.begin; g < mine.end; ++g)
                std::memcpy(matrix.group(g), group.data(), group.size());
        });
    }

    AlignedBuffer<std::byte> memory_;
};

Activations random_activations(const Family& family, const MatrixShape& shape, std::size_t n) {
    std::mt19937_64 random(2);
    std::normal_distribution<float> normal;
    Activations x(ActivationLayout(shape.slices), n, family.panel_columns);
    for (std::size_t c = 0; c < n; ++c) {
        for (std::size_t i = 0; i < x.layout.length; ++i) x.column(c)[i] = normal(random);
        family.quantize(x, c, 0, x.layout.n_blocks);
    }
    return x;
}

/// All products of `w` with n columns, with a barrier after each as in a forward pass.
class Products {
  public:
    Products(const Family& family, const Matrices& w, std::size_t n) : w_(w) {
        std::size_t max_rows = 0;
        for (const Matrix& matrix : w.matrices) {
            max_rows = std::max(max_rows, matrix.shape().n_rows);
            const ActivationLayout layout(matrix.shape().slices);
            const auto same = [&](const Activations& x) { return x.layout == layout; };
            if (std::ranges::none_of(inputs_, same))
                inputs_.push_back(random_activations(family, matrix.shape(), n));
        }
        for (const Matrix& matrix : w.matrices) {
            const ActivationLayout layout(matrix.shape().slices);
            const auto same = [&](const Activations& x) { return x.layout == layout; };
            input_of_.push_back(&*std::ranges::find_if(inputs_, same));
        }
        y_stride_ = max_rows;
        y_ = AlignedBuffer<float>(max_rows * n);
    }
    double seconds(threads::Team& team) {
        const Stopwatch clock;
        team.run([&](threads::Worker worker) {
            for (std::size_t i = 0; i < w_.matrices.size(); ++i) {
                const Range groups = worker.share(w_.matrices[i].n_groups());
                multiply(w_.matrices[i], *input_of_[i], y_.data(), y_stride_, groups.begin,
                         groups.end);
                worker.barrier();
            }
        });
        return clock.elapsed_s();
    }

  private:
    const Matrices& w_;
    std::vector<Activations> inputs_;
    std::vector<const Activations*> input_of_;
    AlignedBuffer<float> y_;
    std::size_t y_stride_ = 0;
};

/// The limit and the products in turns: `amount` of work a run, in `unit`s.
template <class Limit>
void run_in_turns(benchmark::State& state, threads::Team& team, Products& products, double amount,
                  const std::string& unit, const Limit& limit) {
    std::vector<double> rates, limits, shares;
    for (auto _ : state) {
        const double most = limit();
        const double seconds = products.seconds(team);
        state.SetIterationTime(seconds);
        rates.push_back(amount / seconds);
        limits.push_back(most);
        shares.push_back(rates.back() / most);
    }
    state.counters[unit] = 1e-9 * median(rates);
    state.counters["limit"] = 1e-9 * median(limits);
    state.counters["share"] = median(shares);
}

void decode(benchmark::State& state, const Family* family, quant::Type type, int n_threads) {
    threads::Team team(n_threads);
    std::vector<MatrixShape> shapes;
    // Float formats are two to four times as large: a quarter of the layers tells as much.
    for (std::size_t l = 0; l < (quant::is_float(type) ? n_layers / 4 : n_layers); ++l)
        for (const MatrixShape& shape : layer_shapes(type)) shapes.push_back(shape);
    shapes.push_back({type, vocabulary, dim, slices_of(dim, 1)});
    const Matrices w(*family, std::move(shapes), team);
    Products products(*family, w, 1);
    measure::ReadBandwidth memory(team);
    run_in_turns(state, team, products, w.n_bytes(), "GB/s",
                 [&] { return memory.measure(team, 1); });
}

void prefill(benchmark::State& state, const Family* family, quant::Type type, int n_threads) {
    threads::Team team(n_threads);
    const Matrices w(*family, layer_shapes(type), team);
    Products products(*family, w, prompt);
    const double work = w.n_weights() * static_cast<double>(prompt);
    run_in_turns(state, team, products, work, "GMAC/s",
                 [&] { return measure::integer_rate(*family, team, 1).value_or(0.0); });
}

} // namespace

void register_shares() {
    for (const int n_threads : std::set{1, threads::available_cpus()})
        for (const Family* family : families()) {
            if (!family->supported() || family->dot_rate == nullptr) continue;
            for (const quant::Type type : quant::all_types) {
                const std::string name = "/" + std::string(family->name) + "/" +
                                         std::string(quant::info(type).name) +
                                         "/threads:" + std::to_string(n_threads);
                const auto add = [&](const char* what, auto* run) {
                    benchmark::RegisterBenchmark((std::string(what) + name).c_str(), run, family,
                                                 type, n_threads)
                        ->UseManualTime()
                        ->Iterations(n_iterations)
                        ->Unit(benchmark::kMillisecond);
                };
                add("decode", decode);
                add("prefill", prefill);
            }
        }
}

} // namespace pillar::bench
