// Whole files: what is written is what was read, in other formats; what cannot be done leaves
// nothing.

#include "pillar/quantize/quantize.hpp"

#include "output/output_files.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/importance/importance.hpp"
#include "support/models/gguf_builder.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>

namespace {

using namespace pillar;
using quant::Type;
using support::GgufBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string floats(std::size_t n, std::uint64_t seed) {
    support::Random random(seed);
    std::string bytes;
    for (std::size_t i = 0; i < n; ++i)
        bytes += support::raw(static_cast<float>(0.02 * random.centred()));
    return bytes;
}

/// Two layers of 256 columns; the second has two experts.
GgufBuilder model() {
    GgufBuilder builder;
    builder.set("general.architecture", "llama");
    builder.set("general.name", "for quantize");
    builder.set("general.file_type", std::uint32_t{0});
    builder.set("llama.block_count", std::uint32_t{2});
    builder.set("llama.attention.head_count", std::uint32_t{4});
    builder.set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b"});
    builder.tensors = {
        {.name = "token_embd.weight", .shape = {256, 8}, .data = floats(2048, 1)},
        {.name = "blk.0.attn_norm.weight", .shape = {256}, .data = floats(256, 2)},
        {.name = "blk.0.attn_q.weight", .shape = {256, 70}, .data = floats(17'920, 3)},
        {.name = "blk.1.ffn_up_exps.weight", .shape = {256, 3, 2}, .data = floats(1536, 4)},
        {.name = "output.weight", .shape = {256, 8}, .data = floats(2048, 5)}};
    return builder;
}

class Quantize : public ::testing::Test {
  protected:
    Quantize() {
        options_.input = folder_.file("in.gguf");
        options_.output = folder_.file("out.gguf");
        options_.mix = quant::Mix::q4_k_m;
        write(model());
    }
    void write(const GgufBuilder& builder) {
        std::ofstream(options_.input, std::ios::binary) << builder.bytes();
    }
    quantize::Summary run() {
        return quantize::quantize(options_, [](std::uint64_t) {});
    }
    [[nodiscard]] std::string output(const std::string& name = "out.gguf") const {
        std::ifstream file(folder_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// Nothing is left beside the inputs.
    void expect_refused(ExitCode code, const std::string& why) {
        std::set<std::string> before;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            before.insert(entry.path().string());
        try {
            run();
            ADD_FAILURE() << "done: " << why;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_THAT(error.what(), HasSubstr(why));
        }
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            EXPECT_TRUE(before.contains(entry.path().string())) << entry.path();
    }
    void write_importance(const std::map<std::string, std::size_t>& sizes) {
        importance::Matrix matrix;
        matrix.chunk_count = 5;
        matrix.datasets = {"text.txt"};
        for (const auto& [name, n] : sizes) {
            importance::Entry entry{.sums = std::vector<float>(n, 1.0f), .counts = {1}};
            for (std::size_t i = 0; i < n; i += 7) entry.sums[i] = 900.0f;
            matrix.tensors[name] = std::move(entry);
        }
        options_.importance = folder_.file("m.imatrix");
        importance::write(matrix, options_.importance);
    }

    support::TemporaryDirectory folder_;
    quantize::Options options_;
};

std::vector<float> weights_of(const gguf::File& file, const std::string& name) {
    const gguf::TensorInfo& tensor = *file.find_tensor(name);
    std::vector<std::byte> bytes(tensor.size_bytes);
    file.read(tensor, 0, bytes);
    std::vector<float> weights(tensor.n_elements());
    quant::decode_row(static_cast<Type>(tensor.type->number), bytes, weights);
    return weights;
}

TEST_F(Quantize, KeepsMetadataAndTensorsAndTellsWhatItIsNow) {
    const quantize::Summary summary = run();
    const gguf::File before(options_.input);
    const gguf::File after(options_.output);
    std::vector<std::string> keys;
    for (const auto& entry : after.metadata().entries()) keys.push_back(entry.key);
    EXPECT_THAT(keys, ElementsAre("general.architecture", "general.name", "general.file_type",
                                  "llama.block_count", "llama.attention.head_count",
                                  "tokenizer.ggml.tokens", "general.quantization_version"));
    EXPECT_EQ(after.metadata().integer("general.file_type", 0, 99), 15u);
    EXPECT_EQ(after.metadata().integer("general.quantization_version", 0, 99), 2u);
    ASSERT_EQ(after.tensors().size(), before.tensors().size());
    std::vector<std::string_view> types;
    for (std::size_t i = 0; i < after.tensors().size(); ++i) {
        const gguf::TensorInfo& tensor = after.tensors()[i];
        EXPECT_EQ(tensor.name, before.tensors()[i].name);
        EXPECT_EQ(tensor.shape, before.tensors()[i].shape);
        types.push_back(tensor.type->name);
        const std::vector<float> was = weights_of(before, tensor.name);
        const std::vector<float> is = weights_of(after, tensor.name);
        for (std::size_t k = 0; k < was.size(); ++k)
            ASSERT_NEAR(is[k], was[k], 0.0045) << tensor.name;
    }
    EXPECT_THAT(types, ElementsAre("q4_K", "f32", "q4_K", "q4_K", "q6_K"));
    EXPECT_EQ(summary.outputs, std::vector<std::string>{options_.output});
    EXPECT_EQ(summary.n_weights, 2048u + 256 + 17'920 + 1536 + 2048);
    EXPECT_EQ(summary.bytes_after, 8u * 144 + 1024 + 70 * 144 + 6 * 144 + 8 * 210);
}

TEST_F(Quantize, BitsDoNotDependOnThreads) {
    write_importance({{"blk.0.attn_q.weight", 256}, {"blk.1.ffn_up_exps.weight", 512}});
    run();
    const std::string alone = output();
    for (const int n_threads : {2, 3, 7}) {
        options_.n_threads = n_threads;
        options_.replace = true;
        run();
        EXPECT_TRUE(output() == alone) << n_threads;
    }
}

TEST_F(Quantize, SourcesOfSixteenAndEightBitsAreTakenOthersWithTheFlag) {
    options_.mix = quant::Mix::q8_0;
    run();
    const gguf::File eight(options_.output);
    EXPECT_EQ(eight.find_tensor("output.weight")->type->name, "q8_0");
    std::filesystem::rename(options_.output, options_.input);
    options_.mix = quant::Mix::q4_0;
    run();
    std::filesystem::rename(options_.output, options_.input);
    options_.mix = quant::Mix::q2_k;
    expect_refused(ExitCode::bad_data, "is q4_0 already");
    options_.allow_requantize = true;
    run();
    options_.input = options_.output;
    options_.output = folder_.file("again.gguf");
    options_.allow_requantize = false;
    run(); // what stays in its format is copied
    EXPECT_TRUE(output("again.gguf") == output());
}

TEST_F(Quantize, TheImportanceMatrixIsNamedInTheFileAndUsed) {
    run();
    const std::string without = output();
    write_importance({{"blk.0.attn_q.weight", 256}});
    options_.replace = true;
    const quantize::Summary summary = run();
    EXPECT_TRUE(summary.tensors[2].is_weighted);
    EXPECT_THAT(summary.unknown_to_importance, ElementsAre("blk.1.ffn_up_exps.weight"));
    EXPECT_NE(output(), without);
    const gguf::File file(options_.output);
    EXPECT_EQ(*file.metadata().string("quantize.imatrix.file"), options_.importance);
    EXPECT_EQ(*file.metadata().string("quantize.imatrix.dataset"), "text.txt");
    EXPECT_EQ(file.metadata().integer("quantize.imatrix.entries_count", 0, 9), 1u);
    EXPECT_EQ(file.metadata().integer("quantize.imatrix.chunks_count", 0, 9), 5u);
}

TEST_F(Quantize, AnImportanceMatrixOfAnotherModelIsRefused) {
    write_importance({{"blk.7.attn_q.weight", 256}});
    expect_refused(ExitCode::bad_data, "\"blk.7.attn_q.weight\": there is no such tensor");
    write_importance({{"blk.1.ffn_up_exps.weight", 256}});
    expect_refused(ExitCode::bad_data, "256 values for 512 columns");
}

TEST_F(Quantize, WeightsThatCannotBeWrittenAreNamedByTheirPlace) {
    const auto put = [](GgufBuilder& builder, const char* tensor, std::size_t place, float value) {
        std::memcpy(builder.tensor(tensor).data.data() + 4 * place, &value, 4);
    };
    GgufBuilder builder = model();
    put(builder, "blk.0.attn_q.weight", 69 * 256 + 1, std::numeric_limits<float>::infinity());
    put(builder, "blk.0.attn_q.weight", 30 * 256 + 17, std::numeric_limits<float>::quiet_NaN());
    write(builder);
    for (options_.n_threads = 1; options_.n_threads < 4; ++options_.n_threads)
        expect_refused(ExitCode::bad_data,
                       "tensor \"blk.0.attn_q.weight\": weight 17 of row 30 is nan");
    builder = model();
    put(builder, "blk.1.ffn_up_exps.weight", 4 * 256 + 2, -std::numeric_limits<float>::infinity());
    write(builder);
    expect_refused(ExitCode::bad_data, "weight 2 of row 1 of matrix 1 is -inf");
    builder = model();
    put(builder, "blk.0.attn_norm.weight", 3, std::numeric_limits<float>::quiet_NaN());
    write(builder);
    expect_refused(ExitCode::bad_data,
                   "tensor \"blk.0.attn_norm.weight\": weight 3 of row 0 is nan");
    builder = model();
    put(builder, "output.weight", 5, 70'000.0f);
    write(builder);
    expect_refused(ExitCode::bad_data, "weight 5 of row 0 is 70000, too large for q6_K");
    options_.mix = quant::Mix::bf16;
    EXPECT_NO_THROW(run());
}

TEST_F(Quantize, OutputsThatExistAndInputsAreNotReplaced) {
    run();
    const std::string before = output();
    EXPECT_THROW(run(), IoError);
    options_.replace = true;
    options_.output = options_.input;
    EXPECT_THROW(run(), UsageError);
    EXPECT_EQ(output(), before);
}

TEST_F(Quantize, PartsOfASplitModelHoldWhatTheWholeOneHolds) {
    run();
    const gguf::File whole(options_.output);
    options_.split_max_bytes = 5'000; // the second layer's query alone is larger
    options_.output = folder_.file("parts.gguf");
    const quantize::Summary summary = run();
    ASSERT_THAT(summary.outputs, ElementsAre(HasSubstr("parts-00001-of-00003.gguf"),
                                             HasSubstr("parts-00002-of-00003.gguf"),
                                             HasSubstr("parts-00003-of-00003.gguf")));
    const gguf::File parts(summary.outputs[1]); // any part names the model
    ASSERT_EQ(parts.tensors().size(), whole.tensors().size());
    EXPECT_EQ(*parts.metadata().string("general.name"), "for quantize");
    for (const gguf::TensorInfo& tensor : whole.tensors())
        EXPECT_EQ(weights_of(parts, tensor.name), weights_of(whole, tensor.name)) << tensor.name;
    // and back: parts are read, the result is one file without a word of them
    options_.input = summary.outputs[2];
    options_.output = folder_.file("one.gguf");
    options_.split_max_bytes = 0;
    run();
    EXPECT_TRUE(output("one.gguf") == output());
}

TEST_F(Quantize, ADiskWithoutRoomIsSaidBeforeAnythingIsWritten) {
    try {
        quantize::expect_room({options_.output}, options_, std::uint64_t{1} << 60);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::refused);
        EXPECT_THAT(error.what(), HasSubstr("the model takes"));
    }
    EXPECT_NO_THROW(quantize::expect_room({"/dev/null"}, options_, std::uint64_t{1} << 60));
}

TEST_F(Quantize, APlanWritesNothing) {
    options_.dry_run = true;
    const quantize::Summary summary = quantize::plan(options_);
    EXPECT_FALSE(std::filesystem::exists(options_.output));
    options_.dry_run = false;
    EXPECT_EQ(run().bytes_after, summary.bytes_after);
    EXPECT_THAT(
        quantize::summary_text(summary, true),
        HasSubstr("blk.1.ffn_up_exps.weight             [256, 3, 2]          f32      q4_K"));
}

TEST_F(Quantize, WhatIsNoModelIsRefused) {
    GgufBuilder builder = model();
    builder.remove("general.architecture");
    write(builder);
    expect_refused(ExitCode::bad_data, "general.architecture");
}

TEST(Parts, HoldAtMostTheSizeOrOneTensor) {
    const auto parts = [](std::initializer_list<std::uint64_t> sizes, std::uint64_t max) {
        std::vector<quantize::Summary::Tensor> tensors;
        for (const std::uint64_t size : sizes) {
            tensors.emplace_back();
            tensors.back().bytes_after = size;
        }
        return quantize::tensors_of_parts(tensors, max);
    };
    EXPECT_THAT(parts({5, 5, 5}, 0), ElementsAre(3));
    EXPECT_THAT(parts({5, 5, 5}, 10), ElementsAre(2, 1));
    EXPECT_THAT(parts({50, 1, 50, 50}, 10), ElementsAre(1, 1, 1, 1));
    EXPECT_THAT(parts({1, 2, 3, 4}, 100), ElementsAre(4));
}

} // namespace
