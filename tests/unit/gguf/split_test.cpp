// Models in several files: found from any part, refused when parts are missing or do not belong
// together.

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "support/models/gguf_builder.hpp"
#include "support/models/tiny_model.hpp"
#include "support/temporary_directory.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>

namespace {

using namespace pillar;
using support::GgufBuilder;
using ::testing::HasSubstr;

constexpr std::size_t n_parts = 3;

/// Three parts: the first without tensors, as llama.cpp's splitter makes them on request.
class Split : public ::testing::Test {
  protected:
    Split() {
        for (std::uint16_t i = 0; i < n_parts; ++i) {
            parts[i].set("split.no", i);
            parts[i].set("split.count", std::uint16_t{n_parts});
            parts[i].set("split.tensors.count", std::int32_t{3});
        }
        parts[0].set("general.name", "in parts");
        parts[1].tensors = {{.name = "b", .shape = {2}, .type = 0, .data = "bbbbBBBB"},
                            {.name = "a", .shape = {1}, .type = 0, .data = "aaaa"}};
        parts[2].tensors = {{.name = "c", .shape = {1}, .type = 0, .data = "cccc"}};
    }

    std::filesystem::path path(std::size_t i) const {
        return folder / fmt::format("m-{:05}-of-00003.gguf", i + 1);
    }
    void write() const {
        for (std::size_t i = 0; i < n_parts; ++i) support::write_file(path(i), parts[i].bytes());
    }
    /// Exit code and sentence of opening part `i`.
    std::pair<int, std::string> failure(std::size_t i = 0) const {
        try {
            gguf::File file(path(i));
        } catch (const Error& error) {
            return {static_cast<int>(error.code()), error.what()};
        }
        return {0, "no error"};
    }

    support::TemporaryDirectory folder;
    std::array<GgufBuilder, n_parts> parts;
};

TEST_F(Split, AnyPartOpensTheWholeModel) {
    write();
    std::uint64_t size = 0;
    for (const auto& part : parts) size += part.bytes().size();
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < n_parts; ++i) {
        const gguf::File file(path(i));
        EXPECT_EQ(file.path(), path(0).string());
        EXPECT_EQ(*file.metadata().string("general.name"), "in parts");
        EXPECT_EQ(file.tensors().size(), 3u);
        EXPECT_EQ(file.size_bytes(), size);
        const auto* tensor = file.find_tensor("c");
        ASSERT_NE(tensor, nullptr);
        EXPECT_EQ(tensor->part, 2u);
        std::string data(4, '\0');
        file.read(*tensor, 0, std::as_writable_bytes(std::span(data)));
        EXPECT_EQ(data, "cccc");
        data.resize(8);
        file.read(*file.find_tensor("b"), 0, std::as_writable_bytes(std::span(data)));
        EXPECT_EQ(data, "bbbbBBBB");
        if (i == 0) hash = file.header_hash();
        EXPECT_EQ(file.header_hash(), hash);
    }
}

TEST_F(Split, AMissingPartIsNamed) {
    write();
    std::filesystem::remove(path(1));
    for (const std::size_t opened : {0, 2}) {
        const auto [code, sentence] = failure(opened);
        EXPECT_EQ(code, 66);
        EXPECT_EQ(sentence.find(path(1).string() + ": is missing: it should be part 2 of the 3"),
                  0u)
            << sentence;
    }
}

TEST_F(Split, PartsInWrongOrderAreRefused) {
    std::swap(parts[1], parts[2]);
    write();
    const auto [code, sentence] = failure();
    EXPECT_EQ(code, 65);
    EXPECT_THAT(sentence, HasSubstr("m-00002-of-00003.gguf: split.no"));
    EXPECT_THAT(sentence, HasSubstr("is 2, but by its name the file is part 1 of 3"));
}

TEST_F(Split, APartWithoutItsNumberIsRefused) {
    parts[2].remove("split.no");
    write();
    EXPECT_THAT(failure().second, HasSubstr("split.no: is absent from a part of a split model"));
}

TEST_F(Split, CountsThatDisagreeAreRefused) {
    parts[1].set("split.count", std::uint16_t{4});
    write();
    EXPECT_EQ(failure().first, 65);
    EXPECT_THAT(failure().second, HasSubstr("split.count at byte"));
    EXPECT_THAT(failure(1).second, HasSubstr("-00001-of-00004.gguf"));
}

TEST_F(Split, TensorCountsThatDisagreeAreRefused) {
    parts[1].tensors.pop_back();
    write();
    EXPECT_EQ(failure().first, 65);
    EXPECT_THAT(failure().second, HasSubstr("split.tensors.count at byte"));
    EXPECT_THAT(failure().second, HasSubstr("is 3, but the 3 parts have 2 tensors"));
    parts[2].set("split.tensors.count", std::int32_t{2});
    write();
    EXPECT_THAT(failure().second, HasSubstr("is 2, but 3 in the first part"));
}

TEST_F(Split, ANameInTwoPartsIsRefused) {
    parts[2].tensors[0].name = "a";
    write();
    EXPECT_EQ(failure().first, 65);
    EXPECT_THAT(failure().second, HasSubstr("tensor \"a\": this name stands in"));
}

TEST_F(Split, APartUnderAnotherNameIsRefused) {
    support::write_file(folder / "renamed.gguf", parts[0].bytes());
    EXPECT_THROW(gguf::File(folder / "renamed.gguf"), FormatError);
    support::write_file(folder / "m-1-of-3.gguf", parts[0].bytes());
    EXPECT_THROW(gguf::File(folder / "m-1-of-3.gguf"), FormatError);
}

TEST_F(Split, AWholeModelUnderAPartsNameIsWarnedOf) {
    support::write_file(path(0), GgufBuilder{}.bytes());
    const gguf::File file(path(0));
    ASSERT_EQ(file.warnings().size(), 1u);
    EXPECT_THAT(file.warnings()[0], HasSubstr("part 1 of 3"));
}

TEST_F(Split, TooManyPartsAreRefused) {
    parts[0].set("split.count", std::uint16_t{60'000});
    write();
    EXPECT_THAT(failure().second, HasSubstr("split.count at byte"));
    EXPECT_THAT(failure().second, HasSubstr("is 60000, outside 0 to 512"));
}

} // namespace
