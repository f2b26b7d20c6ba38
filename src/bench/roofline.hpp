#pragma once
// `bench --roofline`: what this machine could do at most, measured between the repetitions of a
// test with the same threads, and how much of it the test used.

#include "output.hpp"
#include "work.hpp"

#include "pillar/engine/benchmark.hpp"
#include "pillar/measure/bandwidth.hpp"
#include "pillar/session/session.hpp"

#include <vector>

namespace pillar::bench {

class Roofline {
  public:
    explicit Roofline(session::Session& session) : session_(session), bandwidth_(session.team()) {}

    /// Forget the last test.
    void begin() { limits_.clear(); }
    /// Local, on every rank at the same time. Measure this rank's limits once more: before the
    /// first repetition and after each.
    void measure();
    /// Collective. Adds the fields of --roofline to rank 0's record. `seconds`: of the repetitions,
    /// rank 0 only.
    void finish(const engine::BenchmarkTest& test, const std::vector<double>& seconds,
                tables::Record& record);

  private:
    /// Of one rank.
    struct RankSums {
        Amounts work;
        Amounts limits;   ///< medians
        Amounts matrices; ///< shares that the products alone reach
    };

    [[nodiscard]] Amounts limits_around(std::size_t repetition) const;
    Amounts matrices_alone(std::size_t n_rows);

    session::Session& session_;
    measure::ReadBandwidth bandwidth_;
    std::vector<Amounts> limits_;
};

} // namespace pillar::bench
