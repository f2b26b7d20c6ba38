// From paths to text.

#include "pillar/report/render.hpp"

#include "text/renderers.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::report {

std::string render(std::span<const ScalingTable> tables, tables::Format format) {
    expects(format != tables::Format::jsonl, "a report is md, csv or json");
    if (format == tables::Format::csv) return to_csv(tables);
    if (format == tables::Format::json) return to_json(tables);
    return to_markdown(tables);
}

std::vector<ScalingTable> tables_of(std::span<const std::string> paths,
                                    const perf::MachineProfile* profile,
                                    const metering::MeterLog* meter) {
    std::vector<trace::Trace> traces;
    for (const std::string& path : paths) traces.push_back(trace::read_trace(path));
    return scaling_tables(traces, profile, meter);
}

std::string report(std::span<const std::string> paths, tables::Format format,
                   const perf::MachineProfile* profile) {
    return render(tables_of(paths, profile), format);
}

} // namespace pillar::report
