#include "sensor_thread.hpp"

#include "host.hpp"

#include "pillar/core/timing.hpp"
#include "pillar/telemetry/host.hpp"
#include "pillar/telemetry/memory.hpp"

#include <chrono>

namespace pillar::recording {

SensorThread::SensorThread(double every_s, Take take) : take_(std::move(take)) {
    sample();
    thread_ = std::thread([this, every_s] { run(every_s); });
}

SensorThread::~SensorThread() {
    {
        const std::scoped_lock lock(mutex_);
        is_ending_ = true;
    }
    ending_.notify_all();
    thread_.join();
}

void SensorThread::sample() {
    const std::scoped_lock lock(reading_);
    const telemetry::Sensors sensors = telemetry::read_sensors();
    const telemetry::Power power = meter_.read();
    SensorSample sample;
    sample.clock_hz = mean_hz(sensors.clocks_mhz);
    sample.temperature_c = sensors.temperature_c.value_or(trace::missing_number);
    sample.throttled = sensors.throttled.value_or(0);
    sample.supply_v = power.supply_v.value_or(trace::missing_number);
    sample.power_w = power.watts.value_or(trace::missing_number);
    sample.resident_bytes = telemetry::read_process_memory().resident_bytes;
    sample.time_s = monotonic_s(); // when all of it has been read
    take_(sample);
}

void SensorThread::run(double every_s) {
    std::unique_lock lock(mutex_);
    const std::chrono::duration<double> pause(every_s);
    while (!ending_.wait_for(lock, pause, [this] { return is_ending_; })) {
        lock.unlock();
        sample();
        lock.lock();
    }
}

} // namespace pillar::recording
