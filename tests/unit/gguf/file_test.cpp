// Files on a disk: opening, reading slices, and paths that lead to no model.

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "support/models/tiny_model.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

namespace {

using namespace pillar;
using support::GgufBuilder;
using support::TemporaryDirectory;
using ::testing::HasSubstr;

std::string read(const gguf::File& file, const gguf::TensorInfo& tensor, std::uint64_t begin,
                 std::size_t n) {
    std::string bytes(n, '\0');
    file.read(tensor, begin, std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

struct Failure {
    ExitCode code = ExitCode::done;
    std::string sentence;
};

template <class Action>
Failure failure_of(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
    return {};
}

TEST(TensorInfo, TrailingDimensionsOfOneMeanNothing) {
    const auto of = [](std::vector<std::uint64_t> shape) {
        gguf::TensorInfo tensor;
        tensor.shape = std::move(shape);
        return tensor;
    };
    EXPECT_TRUE(of({64, 48}).has_shape(64, 48));
    EXPECT_TRUE(of({64, 48, 1}).has_shape(64, 48));
    EXPECT_TRUE(of({64, 48, 1, 1}).has_shape(64, 48));
    EXPECT_TRUE(of({64}).has_shape(64, 1));
    EXPECT_TRUE(of({64, 1, 1, 1}).has_shape(64, 1));
    EXPECT_TRUE(of({}).has_shape(1, 1));
    EXPECT_FALSE(of({64, 2, 24}).has_shape(64, 48));
    EXPECT_FALSE(of({64, 24, 2}).has_shape(64, 48));
    EXPECT_FALSE(of({64, 24, 1, 2}).has_shape(64, 48));
    EXPECT_FALSE(of({1, 64}).has_shape(64, 1));
    EXPECT_FALSE(of({64, 48}).has_shape(48, 64));
    EXPECT_FALSE(of({64}).has_shape(64, 48));
}

TEST(File, TellsWhenItWasWrittenToSinceItWasOpened) {
    const TemporaryDirectory folder;
    const GgufBuilder model = support::build_tiny_model({.n_layers = 1});
    support::write_file(folder / "tiny.gguf", model.bytes());
    const gguf::File file(folder / "tiny.gguf");
    const auto& embedding = *file.find_tensor("token_embd.weight");
    file.expect_unchanged();
    file.expect_unchanged(embedding);
    std::filesystem::rename(folder / "tiny.gguf", folder / "moved.gguf"); // still the same bytes
    file.expect_unchanged();
    std::this_thread::sleep_for(std::chrono::milliseconds(20)); // a file system's clock ticks
    support::write_file(folder / "moved.gguf", model.bytes());
    for (const auto& check : {std::function([&] { file.expect_unchanged(); }),
                              std::function([&] { file.expect_unchanged(embedding); })}) {
        const Failure failure = failure_of(check);
        EXPECT_EQ(failure.code, ExitCode::io);
        EXPECT_THAT(failure.sentence, HasSubstr("tiny.gguf: the file was changed"));
    }
}

TEST(File, ReadsEverySliceOfEveryTensorAsItWasWritten) {
    const TemporaryDirectory folder;
    const GgufBuilder model = support::build_tiny_model({.n_layers = 1, .type = std::nullopt});
    support::write_file(folder / "tiny.gguf", model.bytes());
    const gguf::File file(folder / "tiny.gguf");
    EXPECT_EQ(file.path(), (folder / "tiny.gguf").string());
    EXPECT_EQ(file.version(), 3u);
    EXPECT_EQ(file.size_bytes(), model.bytes().size());
    EXPECT_TRUE(file.warnings().empty());
    EXPECT_EQ(file.tensors().size(), model.tensors.size());
    EXPECT_EQ(file.find_tensor("blk.1.attn_q.weight"), nullptr);
    for (const auto& written : model.tensors) {
        const auto* tensor = file.find_tensor(written.name);
        ASSERT_NE(tensor, nullptr);
        EXPECT_EQ(tensor->shape, written.shape);
        EXPECT_EQ(tensor->size_bytes, written.data.size());
        EXPECT_EQ(read(file, *tensor, 0, written.data.size()), written.data);
        const std::size_t third = written.data.size() / 3;
        EXPECT_EQ(read(file, *tensor, third, third), written.data.substr(third, third));
        EXPECT_EQ(read(file, *tensor, written.data.size(), 0), "");
    }
}

TEST(File, HeadersLongerThanTheFirstPieceAreFetchedWhole) {
    const TemporaryDirectory folder;
    GgufBuilder model;
    for (int i = 0; i < 5; ++i)
        model.set("key" + std::to_string(i), std::string(700'000, static_cast<char>('a' + i)));
    model.tensors = {{.name = "t", .shape = {4}, .type = 0, .data = "0123456789abcdef"}};
    support::write_file(folder / "long.gguf", model.bytes());
    const gguf::File file(folder / "long.gguf");
    EXPECT_EQ(*file.metadata().string("key4"), std::string(700'000, 'e'));
    EXPECT_EQ(read(file, file.tensors()[0], 4, 4), "4567");
}

TEST(File, PathsThatAreNoModelFileEndWith66) {
    const TemporaryDirectory folder;
    ASSERT_EQ(::mkfifo((folder / "pipe.gguf").c_str(), 0600), 0);
    const std::string device = "/dev/null";
    for (const std::string& path :
         {folder.path().string(), (folder / "pipe.gguf").string(), device,
          (folder / "missing.gguf").string(), (folder / "missing/m.gguf").string()}) {
        const Failure failure = failure_of([&] { gguf::File file(path); }); // and does not hang
        EXPECT_EQ(failure.code, ExitCode::no_input) << failure.sentence;
        EXPECT_EQ(failure.sentence.find(path + ": "), 0u) << failure.sentence;
    }
}

TEST(File, ABadFileIsNamedByItsPath) {
    const TemporaryDirectory folder;
    support::write_file(folder / "bad.gguf", "not a model");
    const Failure failure = failure_of([&] { gguf::File file(folder / "bad.gguf"); });
    EXPECT_EQ(failure.code, ExitCode::bad_data);
    EXPECT_THAT(failure.sentence, HasSubstr("bad.gguf: magic at byte 0: is \"not \""));
}

TEST(File, AFileThatShrinksWhileOpenIsAnInputError) {
    const TemporaryDirectory folder;
    const GgufBuilder model = support::build_tiny_model({.n_layers = 1});
    support::write_file(folder / "tiny.gguf", model.bytes());
    const gguf::File file(folder / "tiny.gguf");
    const auto& last = *file.find_tensor("output_norm.weight");
    std::filesystem::resize_file(folder / "tiny.gguf", last.offset + 10);
    const Failure failure = failure_of([&] { read(file, last, 0, 64); });
    EXPECT_EQ(failure.code, ExitCode::io);
    EXPECT_THAT(failure.sentence, HasSubstr("tensor \"output_norm.weight\""));
    EXPECT_THAT(failure.sentence, HasSubstr("at byte " + std::to_string(last.offset + 10)));
}

TEST(File, HashTellsSizesAndHeadersApart) {
    const TemporaryDirectory folder;
    GgufBuilder model = support::build_tiny_model({.n_layers = 1});
    const auto hash_of = [&](const std::string& bytes) {
        support::write_file(folder / "m.gguf", bytes);
        return gguf::File(folder / "m.gguf").header_hash();
    };
    const auto hash = hash_of(model.bytes());
    EXPECT_EQ(hash_of(model.bytes()), hash);
    EXPECT_NE(hash_of(model.bytes() + "more"), hash);
    model.set("general.name", "yarn");
    EXPECT_NE(hash_of(model.bytes()), hash);
}

TEST(File, SeveralThreadsReadAtOnce) {
    const TemporaryDirectory folder;
    const GgufBuilder model = support::build_tiny_model({.n_layers = 2});
    support::write_file(folder / "tiny.gguf", model.bytes());
    const gguf::File file(folder / "tiny.gguf");
    std::vector<int> equal(4, 0);
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < equal.size(); ++t)
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < 50; ++i) {
                const auto& written = model.tensors[(i * 7 + t) % model.tensors.size()];
                equal[t] += read(file, *file.find_tensor(written.name), 0, written.data.size()) ==
                            written.data;
            }
        });
    threads.clear();
    EXPECT_EQ(equal, std::vector<int>(4, 50));
}

} // namespace
