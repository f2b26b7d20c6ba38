#pragma once
// What the recorder's tests feed it.

#include "pillar/recording/recorder.hpp"

#include <cstdint>
#include <string>

namespace pillar::recording {

inline TraceOptions options_for(const std::string& path) {
    TraceOptions options;
    options.path = path;
    options.title = "test";
    options.command_line = "pillar run --trace x.h5";
    options.config.set<"model">("tiny");
    options.collectives_per_step = 4;
    options.n_threads = 2;
    return options;
}

/// A step that begins at `begin_s` and lasts half a second; `rank` tells the ranks apart.
class Step {
  public:
    Step(std::uint64_t number, double begin_s, int rank = 0) {
        const auto r = static_cast<std::uint64_t>(rank);
        timeline_.begin_s = begin_s;
        timeline_.end_s = begin_s + 0.5;
        timeline_.traffic = {100 + r, 3 + r};
        timeline_.collectives = {{begin_s, begin_s + 0.0625, 32, CollectiveKind::broadcast},
                                 {begin_s + 0.25, begin_s + 0.3125, 256, CollectiveKind::allreduce},
                                 {begin_s + 0.4375, begin_s + 0.5, 64, CollectiveKind::gather}};
        record_.step = number;
        record_.phase = number == 0 ? engine::Phase::prefill : engine::Phase::decode;
        record_.n_rows = 1;
        record_.n_logits = 1;
        record_.bytes_read = 10 + r;
        record_.timeline = &timeline_;
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    operator const engine::StepRecord&() const { return record_; }

  private:
    StepTimeline timeline_;
    engine::StepRecord record_;
};

inline engine::TokenRecord token(std::uint64_t step) {
    return {.step = step,
            .sequence = 0,
            .position = static_cast<std::int32_t>(step),
            .id = 7,
            .phase = engine::Phase::decode,
            .latency_s = 0.5,
            .logprob = -1};
}

} // namespace pillar::recording
