// Looks at the clock four times a second.

#include "hard_timeout.hpp"

#include "pillar/comm/environment.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/core.h>
#include <system_error>
#include <utility>

namespace pillar::comm {

namespace {

constexpr double period_s = 0.25;
/// A process that was stopped as a whole and goes on gets this long before its clock counts again.
constexpr double recovery_s = 10;

} // namespace

HardTimeout::HardTimeout(std::function<std::string()> sentence) : sentence_(std::move(sentence)) {
    try {
        thread_ = std::thread([this] { watch(); });
    } catch (const std::system_error& failure) {
        throw Error(ExitCode::refused,
                    fmt::format("no thread can be started beside the main one ({}): look at "
                                "`ulimit -v` and `ulimit -u`",
                                failure.code().message()));
    }
}

HardTimeout::~HardTimeout() {
    {
        const std::lock_guard lock(mutex_);
        is_done_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void HardTimeout::watch() {
    std::unique_lock lock(mutex_);
    double last_s = monotonic_s();
    double not_before_s = last_s;
    while (!changed_.wait_for(lock, std::chrono::duration<double>(period_s),
                              [this] { return is_done_; })) {
        const double now_s = monotonic_s();
        if (now_s - last_s > 4 * period_s) not_before_s = now_s + recovery_s;
        last_s = now_s;
        if (now_s < std::max(until_s_.load(std::memory_order_relaxed), not_before_s)) continue;
        log::error("{}", sentence_());
        abort_job(ExitCode::peer_lost);
    }
}

} // namespace pillar::comm
