// Fields as proc(5) numbers them: 14 utime, 15 stime, 39 processor. The name, in parentheses, may
// hold anything, parentheses too.

#include "pillar/telemetry/processes.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <unistd.h>

namespace pillar::telemetry {

namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> number_named(const fs::path& folder) {
    const std::string name = folder.filename().string();
    std::int64_t number = 0;
    const char* const end = name.data() + name.size();
    const auto result = std::from_chars(name.data(), end, number);
    if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
    return number;
}

/// "812 (stress) R 1 …"
std::optional<TaskTime> task_of(const std::string& line, double ticks_a_second) {
    const std::size_t open = line.find('('), close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close < open)
        return std::nullopt;
    constexpr std::size_t first = 3, utime = 14, stime = 15, processor = 39;
    std::istringstream words(line.substr(close + 1));
    const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    if (fields.size() <= processor - first) return std::nullopt;
    const auto number = [&](std::size_t field) {
        const std::string& text = fields[field - first];
        double value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    };
    TaskTime task;
    task.name = line.substr(open + 1, close - open - 1);
    task.busy_s = (number(utime) + number(stime)) / ticks_a_second;
    task.cpu = static_cast<int>(number(processor));
    return task;
}

std::optional<TaskTime> read_task(const fs::path& folder, double ticks_a_second) {
    std::ifstream file(folder / "stat");
    std::string line;
    if (!std::getline(file, line)) return std::nullopt; // it has ended
    return task_of(line, ticks_a_second);
}

} // namespace

TaskTimes read_task_times(const fs::path& root) {
    TaskTimes tasks;
    const long ticks_a_second = ::sysconf(_SC_CLK_TCK);
    if (ticks_a_second <= 0) return tasks;
    const auto ticks = static_cast<double>(ticks_a_second);
    std::error_code gone;
    for (const auto& process : fs::directory_iterator(root / "proc", gone)) {
        const auto number = number_named(process.path());
        if (!number) continue;
        const auto whole = read_task(process.path(), ticks);
        if (!whole) continue;
        for (fs::directory_iterator task(process.path() / "task", gone), end; !gone && task != end;
             task.increment(gone)) {
            const auto thread = number_named(task->path());
            auto found = thread ? read_task(task->path(), ticks) : std::nullopt;
            if (!found) continue;
            found->process = *number;
            found->name = whole->name;
            tasks[*thread] = *std::move(found);
        }
    }
    return tasks;
}

std::vector<ProcessUse> busy_processes(const TaskTimes& before, const TaskTimes& after,
                                       double seconds, double least) {
    std::map<std::int64_t, ProcessUse> uses;
    for (const auto& [thread, now] : after) {
        const auto old = before.find(thread);
        const bool is_new = old == before.end() || old->second.process != now.process;
        const double busy_s = now.busy_s - (is_new ? 0 : old->second.busy_s);
        if (!(busy_s > 0) || !(seconds > 0)) continue;
        ProcessUse& use = uses[now.process];
        use.process = now.process;
        use.name = now.name;
        use.cpus += busy_s / seconds;
        const auto part = std::ranges::find(use.parts, now.cpu, &CpuPart::cpu);
        if (part == use.parts.end())
            use.parts.push_back({now.cpu, busy_s / seconds});
        else
            part->share += busy_s / seconds;
    }
    std::vector<ProcessUse> busy;
    for (auto& [number, use] : uses) {
        if (use.cpus < least) continue;
        std::ranges::sort(use.parts, {}, &CpuPart::cpu);
        busy.push_back(std::move(use));
    }
    std::ranges::stable_sort(busy, std::ranges::greater(), &ProcessUse::cpus);
    return busy;
}

} // namespace pillar::telemetry
