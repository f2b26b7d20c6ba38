// bench's tests, names and formats, as llama-bench has them.

#include "output.hpp"

#include "pillar/bench/tests.hpp"
#include "pillar/core/errors.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pillar::bench {
namespace {

std::vector<std::string> names_of(const BenchLists& lists) {
    std::vector<std::string> names;
    for (const BenchTest& test : tests_of(lists)) names.push_back(test.name());
    return names;
}

TEST(bench_tests, have_llama_benchs_names_and_defaults) {
    using Names = std::vector<std::string>;
    EXPECT_EQ(names_of({}), (Names{"pp512", "tg128"}));
    EXPECT_EQ(names_of({.n_prompt = {0}, .n_gen = {16}}), (Names{"tg16"}));
    EXPECT_EQ(names_of({.n_prompt = {64}, .n_gen = {8}, .n_depth = {0, 512}}),
              (Names{"pp64", "tg8", "pp64 @ d512", "tg8 @ d512"}));
    EXPECT_EQ(names_of({.n_prompt = {0}, .n_gen = {0}, .prompt_gen = {{32, 8}}}),
              (Names{"pp32+tg8"}));
    EXPECT_THROW(names_of({.n_prompt = {0}, .n_gen = {0}}), UsageError);
}

TEST(bench_tests, multiply_all_lists) {
    const auto tests = tests_of({.n_prompt = {8, 16},
                                 .n_gen = {4},
                                 .n_depth = {0, 1},
                                 .n_batch = {32, 64},
                                 .n_threads = {1, 2, 4},
                                 .n_repeats = {3}});
    EXPECT_EQ(tests.size(), 3u * 2u * 2u * 3u);
    EXPECT_EQ(tests.front().n_repeats, 3u);
    EXPECT_EQ(tests.back().test.n_batch, 64u);
    EXPECT_EQ(tests.back().n_threads, 4);
}

tables::Record example() {
    tables::Record r;
    r.set("model_type", "llama 1.2B Q4_0");
    r.set("model_size", 763'097'088);
    r.set("model_n_params", 1'235'814'400);
    r.set("backends", "MPI");
    r.set("kernels", "avx2");
    r.set("ranks", 2);
    r.set("n_threads", 4);
    r.set("n_batch", 256);
    r.set("type_k", "f16");
    r.set("allreduce", "recursive-doubling");
    r.set("test", "tg10");
    r.set("note", "says \"so\"");
    add_samples(r, {0.5, 1.0, 0.5}, 10); // 20, 10 and 20 tokens a second
    return r;
}

TEST(bench_output, has_the_mean_and_the_sample_deviation) {
    const tables::Record r = example();
    EXPECT_EQ(r["avg_ns"].text(), "666666667");
    EXPECT_EQ(r["stddev_ns"].text(), "288675135");
    EXPECT_NEAR(r["avg_ts"].number(), 50.0 / 3, 1e-12);
    EXPECT_NEAR(r["stddev_ts"].number(), 5.773502691896258, 1e-12);
    const auto json = nlohmann::json::parse(tables::json_text(r));
    EXPECT_EQ(json["samples_ns"],
              (std::vector<std::uint64_t>{500'000'000, 1'000'000'000, 500'000'000}));
    EXPECT_EQ(json["samples_ts"], (std::vector<double>{20, 10, 20}));
    tables::Record one;
    add_samples(one, {0.25}, 1);
    EXPECT_EQ(one["stddev_ns"].text(), "0");
}

TEST(bench_output, is_a_markdown_table) {
    const auto output = make_bench_output(tables::Format::md, {});
    EXPECT_EQ(output->header(),
              "| model                          |       size |     params | backend        | ranks "
              "| threads |            test |                  t/s |\n"
              "| ------------------------------ | ---------: | ---------: | -------------- | ----: "
              "| ------: | --------------: | -------------------: |\n");
    EXPECT_EQ(output->result(example()),
              "| llama 1.2B Q4_0                | 727.75 MiB |     1.24 B | MPI/avx2       |     2 "
              "|       4 |            tg10 |         16.67 ± 5.77 |\n");
}

TEST(bench_output, is_csv_with_one_line_of_names_and_every_value_quoted) {
    const auto output = make_bench_output(tables::Format::csv, {});
    const std::string first = output->result(example());
    const std::string second = output->result(example());
    EXPECT_EQ(first.substr(first.find('\n') + 1), second);
    EXPECT_EQ(first.substr(0, 11), "model_type,");
    EXPECT_EQ(first.find("samples"), std::string::npos);
    EXPECT_NE(second.find("\"says \"\"so\"\"\""), std::string::npos);
}

} // namespace
} // namespace pillar::bench
