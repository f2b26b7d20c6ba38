#pragma once
// Reads the sensors now and then on a thread of its own: asking a sensor behind a slow bus, or a
// board's firmware, takes milliseconds in which the thread sleeps, and a long step has samples too.

#include "journal/records.hpp"

#include "pillar/telemetry/power.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace pillar::recording {

class SensorThread {
  public:
    using Take = std::function<void(const SensorSample&)>;

    /// Takes a sample at once, then one every `every_s` seconds. `take` is called from any thread.
    SensorThread(double every_s, Take take);
    /// Waits for a sample that is being read.
    ~SensorThread();
    SensorThread(const SensorThread&) = delete;
    SensorThread& operator=(const SensorThread&) = delete;

    /// One more, now.
    void sample();

  private:
    void run(double every_s);

    Take take_;
    std::mutex reading_; ///< over the meter
    telemetry::PowerMeter meter_;
    std::mutex mutex_; ///< over is_ending_
    std::condition_variable ending_;
    bool is_ending_ = false;
    std::thread thread_;
};

} // namespace pillar::recording
