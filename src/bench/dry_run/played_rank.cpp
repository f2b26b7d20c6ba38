#include "dry_run/played_rank.hpp"

#include "usual.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <algorithm>

namespace pillar::bench {

namespace {

session::SessionNeeds needs_of_playing() {
    session::SessionNeeds needs;
    needs.check_outputs = [] { terminal::expect_standard_output(); };
    return needs;
}

} // namespace

PlayedRank::PlayedRank(comm::Environment& environment, const session::ModelOptions& options,
                       const comm::AllreduceChoice& allreduce)
    : session_(environment, options, needs_of_playing()),
      comm_(comm::make_dry_run(options.played.value().rank, options.played.value().n_ranks,
                               allreduce, options.wire)),
      loop_(session_.transformer(), *comm_, loop_options()),
      benchmark_(session_.transformer().hyperparameters().vocab_size, [this](std::size_t n) {
          return session_.transformer().keeps(0, static_cast<std::int32_t>(n));
      }) {}

bool PlayedRank::run(const BenchTest& test, bool warm_up, Result& result) {
    const int most = session_.max_threads();
    session_.set_threads(test.n_threads > 0 ? std::min(test.n_threads, most) : most);
    loop_.observe(nullptr);
    if (warm_up && !run_once(warm_up_of(test.test))) return false;
    result = {};
    for (std::size_t i = 0; i < test.n_repeats; ++i) {
        counter_.sent = {};
        loop_.observe(&counter_);
        if (!run_once(test.test)) return false;
        result.seconds.push_back(benchmark_.elapsed_s());
    }
    result.sent = counter_.sent;
    result.work =
        work_of(test.test, session_.transformer().cost(), session_.transformer().hyperparameters());
    return true;
}

bool PlayedRank::run_once(const engine::BenchmarkTest& test) {
    benchmark_.begin(test);
    return !loop_.run(&benchmark_);
}

} // namespace pillar::bench
