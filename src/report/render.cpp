// From paths to text.

#include "pillar/report/render.hpp"

#include "renderers.hpp"

#include "pillar/core/errors.hpp"

namespace pillar::report {

Format format_of(std::string_view name) {
    if (name == "md") return Format::md;
    if (name == "csv") return Format::csv;
    if (name == "json") return Format::json;
    throw UsageError("output format \"" + printable(name) + "\" is not md, csv or json");
}

std::string render(std::span<const ScalingTable> tables, Format format) {
    switch (format) {
    case Format::csv:
        return to_csv(tables);
    case Format::json:
        return to_json(tables);
    case Format::md:
        break;
    }
    return to_markdown(tables);
}

std::string report(std::span<const std::string> paths, Format format,
                   const perf::MachineProfile* profile) {
    std::vector<trace::Trace> traces;
    for (const std::string& path : paths) traces.push_back(trace::read_trace(path));
    return render(scaling_tables(traces, profile), format);
}

} // namespace pillar::report
