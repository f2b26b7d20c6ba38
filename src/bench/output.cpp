#include "output.hpp"

#include "pillar/core/program.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <numeric>

namespace pillar::bench {

namespace {

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

/// One record; what is no UTF-8 becomes U+FFFD.
std::string json_text(const BenchRecord& record, int indent = -1) {
    return record.dump(indent, ' ', false, BenchRecord::error_handler_t::replace);
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
        add("model", 30, true, [](const BenchRecord& r) { return text(r["model_type"]); });
        add("size", 10, false,
            [](const BenchRecord& r) { return size_text(r["model_size"].get<double>()); });
        add("params", 10, false,
            [](const BenchRecord& r) { return count_text(r["model_n_params"].get<double>()); });
        add("backend", 14, true,
            [](const BenchRecord& r) { return text(r["backends"]) + "/" + text(r["kernels"]); });
        add("ranks", 5, false, [](const BenchRecord& r) { return text(r["ranks"]); });
        add("threads", 7, false, [](const BenchRecord& r) { return text(r["n_threads"]); });
        if (columns.n_batch)
            add("n_batch", 7, false, [](const BenchRecord& r) { return text(r["n_batch"]); });
        if (columns.cache_type)
            add("type_k", 6, true, [](const BenchRecord& r) { return text(r["type_k"]); });
        if (columns.allreduce)
            add("allreduce", 18, true, [](const BenchRecord& r) { return text(r["allreduce"]); });
        add("test", 15, false, [](const BenchRecord& r) { return text(r["test"]); });
        add("t/s", 20, false, [](const BenchRecord& r) {
            return fmt::format("{:.2f} ± {:.2f}", r["avg_ts"].get<double>(),
                               r["stddev_ts"].get<double>());
        });
        if (!columns.roofline) return;
        add("GB/s", 14, false,
            [](const BenchRecord& r) { return of_limit(r, "bytes_per_s", "read_bandwidth"); });
        add("share", 5, false, [](const BenchRecord& r) { return share(r, "memory_share"); });
        add("GMAC/s", 16, false,
            [](const BenchRecord& r) { return of_limit(r, "macs_per_s", "integer_rate"); });
        add("share", 5, false, [](const BenchRecord& r) { return share(r, "integer_share"); });
        add("matrices alone", 14, false, [](const BenchRecord& r) {
            return r["n_prompt"] == 0 ? share(r, "matrix_memory_share")
                                      : share(r, "matrix_integer_share");
        });
    }

    std::string header() const override {
        std::string names = "|", rule = "|";
        for (const Column& c : columns_) {
            names += fmt::format(" {} |", c.left ? fmt::format("{:<{}}", c.name, c.width)
                                                 : fmt::format("{:>{}}", c.name, c.width));
            rule += c.left ? fmt::format(" {:-<{}} |", "", c.width)
                           : fmt::format(" {:-<{}}: |", "", c.width - 1);
        }
        return names + "\n" + rule + "\n";
    }
    std::string result(const BenchRecord& record) override {
        const auto other_cpus = record.find("other_cpus");
        if (other_cpus != record.end() && other_cpus->is_number())
            other_cpus_ = std::max(other_cpus_, other_cpus->get<double>());
        std::string line = "|";
        for (const Column& c : columns_) {
            const std::string value = c.value(record);
            line += fmt::format(" {} |", c.left ? fmt::format("{:<{}}", value, c.width)
                                                : fmt::format("{:>{}}", value, c.width));
        }
        return line + "\n";
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
    using ValueOf = std::string (*)(const BenchRecord& record);
    struct Column {
        std::string name;
        int width;
        bool left; ///< aligned
        ValueOf value;
    };

    static std::string text(const BenchRecord& value) {
        return value.is_string() ? value.get<std::string>() : value.dump();
    }
    static std::string of_limit(const BenchRecord& record, const char* field, const char* limit) {
        if (record[field].is_null() || record[limit].is_null()) return "";
        return fmt::format("{:.1f} of {:.1f}", record[field].get<double>() / 1e9,
                           record[limit].get<double>() / 1e9);
    }
    static std::string share(const BenchRecord& record, const char* field) {
        return record[field].is_null() ? "" : fmt::format("{:.2f}", record[field].get<double>());
    }
    void add(const char* name, int width, bool left, ValueOf value) {
        columns_.push_back({name, width, left, value});
    }

    static constexpr double noticeable_cpus = 0.2;

    std::vector<Column> columns_;
    double other_cpus_ = 0; ///< the most of all results
};

/// Every field but the lists; quoted as llama-bench does.
class Csv : public BenchOutput {
  public:
    std::string result(const BenchRecord& record) override {
        std::string names, values;
        for (const auto& [name, value] : record.items()) {
            if (value.is_array()) continue;
            const char* comma = names.empty() ? "" : ",";
            const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
            names += fmt::format("{}{}", comma, name);
            values += fmt::format("{}{}", comma, quoted(text));
        }
        return (std::exchange(is_first_, false) ? names + "\n" : "") + values + "\n";
    }

  private:
    static std::string quoted(const std::string& text) {
        std::string out = "\"";
        for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
        return out + "\"";
    }

    bool is_first_ = true;
};

class Json : public BenchOutput {
  public:
    std::string header() const override { return "[\n"; }
    std::string result(const BenchRecord& record) override {
        return (std::exchange(is_first_, false) ? "" : ",\n") + json_text(record, 2);
    }
    std::string footer() const override { return "\n]\n"; }

  private:
    bool is_first_ = true;
};

class JsonLines : public BenchOutput {
  public:
    std::string result(const BenchRecord& record) override { return json_text(record) + "\n"; }
};

} // namespace

void add_samples(BenchRecord& record, const std::vector<double>& seconds, std::size_t n_tokens) {
    std::vector<double> rates;
    std::vector<std::uint64_t> samples_ns;
    for (const double s : seconds) {
        rates.push_back(static_cast<double>(n_tokens) / s);
        samples_ns.push_back(static_cast<std::uint64_t>(std::llround(s * 1e9)));
    }
    const Spread time = spread_of(seconds), rate = spread_of(rates);
    record["avg_ns"] = static_cast<std::uint64_t>(std::llround(time.mean * 1e9));
    record["stddev_ns"] = static_cast<std::uint64_t>(std::llround(time.deviation * 1e9));
    record["avg_ts"] = rate.mean;
    record["stddev_ts"] = rate.deviation;
    record["samples_ns"] = samples_ns;
    record["samples_ts"] = rates;
}

std::unique_ptr<BenchOutput> make_bench_output(const std::string& format,
                                               const BenchOutput::Columns& columns) {
    if (format == "csv") return std::make_unique<Csv>();
    if (format == "json") return std::make_unique<Json>();
    if (format == "jsonl") return std::make_unique<JsonLines>();
    return std::make_unique<Markdown>(columns);
}

} // namespace pillar::bench
