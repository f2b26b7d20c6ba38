// Files built byte by byte, as llama.cpp writes them; what this module writes; what is refused.

#include "pillar/importance/importance.hpp"

#include "pillar/core/errors.hpp"
#include "support/models/gguf_builder.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

namespace {

using namespace pillar;
using support::GgufBuilder;
using support::raw;
using support::TemporaryDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Importance : public ::testing::Test {
  protected:
    std::string write_bytes(const std::string& bytes) {
        std::ofstream(folder_ / "m.imatrix", std::ios::binary) << bytes;
        return folder_.file("m.imatrix");
    }
    void expect_refused(const std::string& bytes, const std::string& why) {
        try {
            importance::read(write_bytes(bytes));
            ADD_FAILURE() << "taken: " << why;
        } catch (const FormatError& error) {
            EXPECT_THAT(error.what(), HasSubstr(why));
        }
    }
    TemporaryDirectory folder_;
};

std::string floats(std::initializer_list<float> values) {
    std::string bytes;
    for (const float value : values) bytes += raw(value);
    return bytes;
}

std::string dat_entry(const std::string& name, std::int32_t calls,
                      std::initializer_list<float> values) {
    return raw(static_cast<std::int32_t>(name.size())) + name + raw(calls) +
           raw(static_cast<std::int32_t>(values.size())) + floats(values);
}

/// Two experts of two columns, the second never chosen; and one plain matrix.
GgufBuilder two_entries() {
    GgufBuilder builder;
    builder.set("general.type", "imatrix");
    builder.set("imatrix.datasets", std::vector<std::string>{"a.txt", "b.txt"});
    builder.set("imatrix.chunk_count", std::uint32_t{7});
    builder.set("imatrix.chunk_size", std::uint32_t{512});
    builder.tensors = {
        {.name = "blk.0.ffn_up_exps.weight.in_sum2", .shape = {2, 2}, .data = floats({8, 4, 0, 0})},
        {.name = "blk.0.ffn_up_exps.weight.counts", .shape = {1, 2}, .data = floats({4, 0})},
        {.name = "blk.0.attn_q.weight.in_sum2", .shape = {3, 1}, .data = floats({1, 2, 3})},
        {.name = "blk.0.attn_q.weight.counts", .shape = {1, 1}, .data = floats({2})}};
    return builder;
}

TEST_F(Importance, ReadsTheGgufLayout) {
    const importance::Matrix matrix = importance::read(write_bytes(two_entries().bytes()));
    EXPECT_THAT(matrix.datasets, ElementsAre("a.txt", "b.txt"));
    EXPECT_EQ(matrix.chunk_count, 7u);
    EXPECT_EQ(matrix.chunk_size, 512u);
    ASSERT_EQ(matrix.tensors.size(), 2u);
    const importance::Entry& experts = matrix.tensors.at("blk.0.ffn_up_exps.weight");
    EXPECT_THAT(experts.sums, ElementsAre(8, 4, 0, 0));
    EXPECT_THAT(experts.counts, ElementsAre(4, 0));
    EXPECT_THAT(importance::mean_squares(experts), ElementsAre(2, 1, 1, 1));
    EXPECT_THAT(importance::mean_squares(matrix.tensors.at("blk.0.attn_q.weight")),
                ElementsAre(0.5f, 1, 1.5f));
}

TEST_F(Importance, ReadsTheOldLayoutWithAndWithoutItsEnd) {
    const std::string entries =
        raw(std::int32_t{2}) + dat_entry("a.weight", 4, {2, 6}) + dat_entry("b.weight", 0, {5});
    importance::Matrix matrix = importance::read(write_bytes(entries));
    EXPECT_THAT(importance::mean_squares(matrix.tensors.at("a.weight")), ElementsAre(0.5f, 1.5f));
    EXPECT_THAT(importance::mean_squares(matrix.tensors.at("b.weight")), ElementsAre(5));
    EXPECT_EQ(matrix.chunk_count, 0u);
    matrix = importance::read(
        write_bytes(entries + raw(std::int32_t{9}) + raw(std::int32_t{5}) + "a.txt"));
    EXPECT_EQ(matrix.chunk_count, 9u);
    EXPECT_THAT(matrix.datasets, ElementsAre("a.txt"));
}

TEST_F(Importance, WhatIsWrittenIsReadBackBitForBit) {
    importance::Matrix matrix;
    matrix.datasets = {"text.txt"};
    matrix.chunk_count = 3;
    matrix.chunk_size = 2048;
    matrix.tensors["b"] = {.sums = {0.1f, 1e-40f, 3e38f, 0.0f}, .counts = {5, 0}};
    matrix.tensors["a"] = {.sums = {1.0f}, .counts = {1u << 24}};
    importance::write(matrix, folder_ / "m.gguf");
    EXPECT_EQ(importance::read(folder_ / "m.gguf"), matrix);
}

TEST_F(Importance, WritesTheBytesOfLlamaCppsLayout) {
    const importance::Matrix matrix = importance::read(write_bytes(two_entries().bytes()));
    importance::write(matrix, folder_ / "m.gguf");
    std::ifstream file(folder_ / "m.gguf", std::ios::binary);
    GgufBuilder sorted = two_entries();
    std::rotate(sorted.tensors.begin(), sorted.tensors.begin() + 2, sorted.tensors.end());
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), sorted.bytes());
}

TEST_F(Importance, RefusesWhatIsNoImportanceMatrix) {
    expect_refused("", "is not there: the file is cut off");
    expect_refused("Once upon a time there was", "this is no importance matrix");
    expect_refused(raw(std::int32_t{1}) + dat_entry("a", 1, {1, 2}).substr(0, 15), "cut off");
    expect_refused(raw(std::int32_t{1}) + raw(std::int32_t{1}) + "a" + raw(std::int32_t{1}) +
                       raw(std::int32_t{0x7fffffff}),
                   "2147483647 values are cut off");
    expect_refused(raw(std::int32_t{1}) + dat_entry("a", 1, {-1}), "which no sum of squares is");
    GgufBuilder builder = two_entries();
    builder.tensors.resize(3);
    expect_refused(builder.bytes(), "counts\": is missing");
    builder = two_entries();
    builder.tensors[1].data = floats({4, -1});
    expect_refused(builder.bytes(), "which is no count");
    builder = two_entries();
    builder.tensors[3] = {
        .name = "blk.0.attn_q.weight.counts", .shape = {2}, .data = floats({1, 1})};
    expect_refused(builder.bytes(), "3 values for 2 counts");
    builder = two_entries();
    builder.tensors[0].data = floats({8, std::numeric_limits<float>::infinity(), 0, 0});
    expect_refused(builder.bytes(), "which no sum of squares is");
    builder.tensors.clear();
    expect_refused(builder.bytes(), "no importance matrix");
}

TEST_F(Importance, AFileThatIsNotThereEndsWith66) {
    try {
        importance::read(folder_ / "none");
        FAIL();
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::no_input);
    }
}

} // namespace
