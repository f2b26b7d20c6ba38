#include "output.hpp"

#include "pillar/core/program.hpp"
#include "pillar/tables/markdown.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/core.h>
#include <numeric>

namespace pillar::bench {

namespace {

using tables::Record;

struct Spread {
    double mean = 0;
    double deviation = 0; ///< of a sample; 0 for one value
};

Spread spread_of(const std::vector<double>& values) {
    Spread spread;
    const auto n = static_cast<double>(values.size());
    spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    if (values.size() < 2) return spread;
    double squares = 0;
    for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
    spread.deviation = std::sqrt(squares / (n - 1));
    return spread;
}

std::string size_text(double n_bytes) {
    constexpr double mib = 1024.0 * 1024.0;
    return n_bytes < 1024 * mib ? fmt::format("{:.2f} MiB", n_bytes / mib)
                                : fmt::format("{:.2f} GiB", n_bytes / (1024 * mib));
}

std::string count_text(double n) {
    return n < 1e9 ? fmt::format("{:.2f} M", n / 1e6) : fmt::format("{:.2f} B", n / 1e9);
}

class Markdown : public BenchOutput {
  public:
    explicit Markdown(const Columns& columns) {
        text("model", 30, [](const Record& r) { return r["model_type"].text(); });
        number("size", 10, [](const Record& r) { return size_text(r["model_size"].number()); });
        number("params", 10,
               [](const Record& r) { return count_text(r["model_n_params"].number()); });
        text("backend", 14,
             [](const Record& r) { return r["backends"].text() + "/" + r["kernels"].text(); });
        number("ranks", 5, [](const Record& r) { return r["ranks"].text(); });
        number("threads", 7, [](const Record& r) { return r["n_threads"].text(); });
        if (columns.n_batch)
            number("n_batch", 7, [](const Record& r) { return r["n_batch"].text(); });
        if (columns.cache_type)
            text("type_k", 6, [](const Record& r) { return r["type_k"].text(); });
        if (columns.cache_type)
            text("type_v", 6, [](const Record& r) { return r["type_v"].text(); });
        if (columns.allreduce)
            text("allreduce", 18, [](const Record& r) { return r["allreduce"].text(); });
        number("test", 15, [](const Record& r) { return r["test"].text(); });
        number("t/s", 20, [](const Record& r) {
            return fmt::format("{:.2f} ± {:.2f}", r["avg_ts"].number(), r["stddev_ts"].number());
        });
        if (!columns.roofline) return;
        number("GB/s", 14,
               [](const Record& r) { return of_limit(r, "bytes_per_s", "read_bandwidth"); });
        number("share", 5, [](const Record& r) { return share(r, "memory_share"); });
        number("GMAC/s", 16,
               [](const Record& r) { return of_limit(r, "macs_per_s", "integer_rate"); });
        number("share", 5, [](const Record& r) { return share(r, "integer_share"); });
        number("matrices alone", 14, [](const Record& r) {
            return share(r, r["n_prompt"].number() == 0 ? "matrix_memory_share"
                                                        : "matrix_integer_share");
        });
    }

    std::string header() const override { return tables::MarkdownTable(columns_).head(); }
    std::string result(const Record& record) override {
        if (const tables::Value* other_cpus = record.find("other_cpus");
            other_cpus != nullptr && !other_cpus->is_nothing())
            other_cpus_ = std::max(other_cpus_, other_cpus->number());
        std::vector<std::string> cells;
        for (const CellOf cell_of : cells_) cells.push_back(cell_of(record));
        return tables::MarkdownTable(columns_).row(cells);
    }
    std::string footer() const override {
        const std::string load =
            other_cpus_ < noticeable_cpus
                ? ""
                : fmt::format("\nOther programs kept up to {:.1f} CPUs of a node busy: without "
                              "them it would be faster.\n",
                              other_cpus_);
        return load + fmt::format("\nbuild: {} ({})\n", revision(), version());
    }

  private:
    using CellOf = std::string (*)(const Record& record);

    static std::string of_limit(const Record& record, const char* field, const char* limit) {
        if (record[field].is_nothing() || record[limit].is_nothing()) return "";
        return fmt::format("{:.1f} of {:.1f}", record[field].number() / 1e9,
                           record[limit].number() / 1e9);
    }
    static std::string share(const Record& record, const char* field) {
        return record[field].is_nothing() ? "" : fmt::format("{:.2f}", record[field].number());
    }
    void text(const char* title, std::size_t width, CellOf cell_of) {
        columns_.push_back(tables::text_column(title, width));
        cells_.push_back(cell_of);
    }
    void number(const char* title, std::size_t width, CellOf cell_of) {
        columns_.push_back(tables::number_column(title, width));
        cells_.push_back(cell_of);
    }

    static constexpr double noticeable_cpus = 0.2;

    std::vector<tables::Column> columns_;
    std::vector<CellOf> cells_;
    double other_cpus_ = 0; ///< the most of all results
};

/// Every field; csv leaves lists out, and quotes as llama-bench does.
class Records : public BenchOutput {
  public:
    explicit Records(tables::Format format) : writer_(format, tables::Quotes::always) {}
    std::string header() const override { return writer_.header(); }
    std::string result(const Record& record) override { return writer_.record(record); }
    std::string footer() const override { return writer_.footer(); }

  private:
    tables::RecordWriter writer_;
};

} // namespace

void add_samples(tables::Record& record, const std::vector<double>& seconds, std::size_t n_tokens) {
    std::vector<double> rates;
    std::vector<std::uint64_t> samples_ns;
    for (const double s : seconds) {
        rates.push_back(static_cast<double>(n_tokens) / s);
        samples_ns.push_back(static_cast<std::uint64_t>(std::llround(s * 1e9)));
    }
    const Spread time = spread_of(seconds), rate = spread_of(rates);
    record.set("avg_ns", static_cast<std::uint64_t>(std::llround(time.mean * 1e9)));
    record.set("stddev_ns", static_cast<std::uint64_t>(std::llround(time.deviation * 1e9)));
    record.set("avg_ts", rate.mean);
    record.set("stddev_ts", rate.deviation);
    record.set("samples_ns", samples_ns);
    record.set("samples_ts", rates);
}

std::unique_ptr<BenchOutput> make_bench_output(tables::Format format,
                                               const BenchOutput::Columns& columns) {
    if (format != tables::Format::md) return std::make_unique<Records>(format);
    return std::make_unique<Markdown>(columns);
}

} // namespace pillar::bench
