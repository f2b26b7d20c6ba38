#include "pillar/measure/overlap.hpp"

#include "of_ranks.hpp"

#include "pillar/comm/exchange.hpp"
#include "pillar/comm/schedule.hpp"
#include "pillar/comm/tree_sum.hpp"
#include "pillar/comm/wire_codec.hpp"
#include "pillar/core/aligned_buffer.hpp"
#include "pillar/core/median.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace pillar::measure {

namespace {

constexpr std::size_t n_floats = std::size_t{1} << 18; ///< of the sums measured here
constexpr int n_rounds = 7;

} // namespace

double reduction_s_per_value(comm::Wire wire) {
    constexpr std::size_t n_tile = 512; // as all-reduces cut their vectors
    AlignedBuffer<float> own(n_floats);
    std::ranges::fill(own.span(), 1.0F);
    const std::size_t n_bytes = comm::wire_bytes(wire, n_floats);
    std::array<AlignedBuffer<std::byte>, 2> copies = {AlignedBuffer<std::byte>(n_bytes),
                                                      AlignedBuffer<std::byte>(n_bytes)};
    for (AlignedBuffer<std::byte>& copy : copies) comm::encode(wire, own.span(), copy.data());
    std::array<std::array<float, n_tile>, 2> decoded{};
    const std::array<float*, 2> leaves = {decoded[0].data(), decoded[1].data()};
    std::vector<double> times_s;
    for (int round = 0; round < n_rounds; ++round) {
        const Stopwatch clock;
        if (wire == comm::Wire::f32) {
            comm::add_to(own.span(), reinterpret_cast<const float*>(copies[0].data()));
        } else {
            comm::encode(wire, own.span(), copies[1].data());
            for (std::size_t begin = 0; begin < n_floats; begin += n_tile) {
                for (std::size_t i = 0; i < copies.size(); ++i)
                    comm::decode(wire, copies[i].data(), begin, decoded[i]);
                comm::add_in_tree(leaves, n_tile, own.data() + begin);
            }
        }
        times_s.push_back(clock.elapsed_s());
    }
    return median(times_s) / static_cast<double>(n_floats);
}

double OverlapTimes::hidden_share() const noexcept {
    const double shorter_s = std::min(sum_s, computing_s);
    if (!(shorter_s > 0)) return 0;
    return std::clamp((sum_s + computing_s - together_s) / shorter_s, 0.0, 1.0);
}

namespace {

/// About 20 µs of arithmetic in the first cache, between which messages may move.
class Computing {
  public:
    explicit Computing(int n_threads) : sums_(static_cast<std::size_t>(n_threads)) {}

    void piece(threads::Worker worker) noexcept {
        float sum = 0;
        for (int pass = 0; pass < 8; ++pass)
            for (const float value : values_) sum = sum * 0.5F + value;
        sums_[static_cast<std::size_t>(worker.index())].value += sum; // so that it is computed
    }

    /// `n` pieces a thread; the main one calls `between` after each.
    void run(threads::Team& team, std::size_t n, FunctionRef<void()> between) {
        team.run([&](threads::Worker worker) {
            for (std::size_t i = 0; i < n; ++i) {
                piece(worker);
                if (worker.is_main()) between();
            }
        });
    }

  private:
    struct alignas(64) Sum {
        float value = 0;
    };
    std::array<float, 1024> values_{};
    std::vector<Sum> sums_;
};

} // namespace

OverlapTimes measure_overlap(comm::Communicator& comm, threads::Team& team) {
    if (comm.size() == 1) return {};
    AlignedBuffer<float> values(n_floats);
    comm.choose(comm::only(comm::Algorithm::direct));
    comm.reserve(n_floats);
    comm.allreduce(values.span()); // first touch, connections

    Computing computing(team.size());
    const auto time_of = [](auto&& body) {
        const Stopwatch clock;
        body();
        return clock.elapsed_s();
    };
    const auto sum = [&] { comm.allreduce(values.span()); };
    const double sum_s = time_of(sum);
    const double piece_s = time_of([&] { computing.run(team, 50, [] {}); }) / 50;
    const std::size_t n_pieces = std::max(
        comm::broadcast_from_root(comm, static_cast<std::size_t>(sum_s / piece_s)), std::size_t{1});

    std::vector<double> sums_s, computing_s, together_s;
    for (int round = 0; round < n_rounds; ++round) {
        sum(); // all together again
        sums_s.push_back(time_of(sum));
        computing_s.push_back(time_of([&] { computing.run(team, n_pieces, [] {}); }));
        sum();
        together_s.push_back(time_of([&] {
            comm.start_allreduce(values.span());
            computing.run(team, n_pieces, [&] { comm.advance_allreduce(); });
            comm.finish_allreduce();
        }));
    }
    return {slowest_median(comm, sums_s), slowest_median(comm, computing_s),
            slowest_median(comm, together_s)};
}

} // namespace pillar::measure
