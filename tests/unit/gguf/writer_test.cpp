// What the writer writes is what the reader reads, in files of its own and byte for byte against
// the builder's.

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/gguf/writer.hpp"
#include "support/models/gguf_builder.hpp"
#include "support/random.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <type_traits>
#include <vector>

namespace {

using namespace pillar;
using gguf::Array;
using gguf::Value;
using gguf::ValueType;
using support::GgufBuilder;
using support::TemporaryDirectory;
using ::testing::HasSubstr;

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

template <class T>
Value scalar(T held) {
    Value value{.type = {}, .value = std::move(held)};
    value.type = static_cast<ValueType>(value.value.index());
    return value;
}

template <class T>
Value array(std::vector<T> elements) {
    const auto element = static_cast<ValueType>(support::type_number<T>());
    return scalar(Array{.element = element, .values = std::move(elements)});
}

/// One of each type, and an array of each.
std::vector<gguf::Metadata::Entry> one_of_each() {
    return {{"u8", scalar(std::uint8_t{255})},
            {"i8", scalar(std::int8_t{-128})},
            {"u16", scalar(std::uint16_t{65'535})},
            {"i16", scalar(std::int16_t{-32'768})},
            {"u32", scalar(~std::uint32_t{0})},
            {"i32", scalar(std::int32_t{-2'147'483'647})},
            {"f32", scalar(-0.0f)},
            {"bool", scalar(true)},
            {"string", scalar(std::string("a\0b\xFF", 4))},
            {"u64", scalar(~std::uint64_t{0})},
            {"i64", scalar(std::int64_t{-1})},
            {"f64", scalar(1e300)},
            {"u8s", array<std::uint8_t>({1, 255})},
            {"i8s", array<std::int8_t>({-1})},
            {"u16s", array<std::uint16_t>({1, 2, 3})},
            {"i16s", array<std::int16_t>({-1, 1})},
            {"u32s", array<std::uint32_t>({})},
            {"i32s", array<std::int32_t>({-5})},
            {"f32s", array<float>({0.5f, -1e-40f})},
            {"bools", array<bool>({true, false, false, true})},
            {"strings", array<std::string>({"", "x", std::string(1000, 'y')})},
            {"u64s", array<std::uint64_t>({~std::uint64_t{0}})},
            {"i64s", array<std::int64_t>({-1})},
            {"f64s", array<double>({0.1})}};
}

template <class A, class B>
void expect_same_alternative(const A& a, const B& b) {
    ASSERT_EQ(a.index(), b.index());
    std::visit(
        [&]<class T>(const T& held) {
            if constexpr (!std::is_same_v<T, Array> && !std::is_same_v<T, gguf::Nested>) {
                EXPECT_EQ(held, std::get<T>(b));
            }
        },
        a);
}

void expect_equal(const Value& a, const Value& b) {
    EXPECT_EQ(a.type, b.type);
    expect_same_alternative(a.value, b.value);
    if (const auto* x = std::get_if<Array>(&a.value)) {
        const auto& y = std::get<Array>(b.value);
        EXPECT_EQ(x->element, y.element);
        expect_same_alternative(x->values, y.values);
    }
}

TEST(Writer, EveryTypeOfMetadataSurvivesTheRoundTrip) {
    const TemporaryDirectory folder;
    gguf::Writer writer(folder / "m.gguf");
    for (const auto& [key, value] : one_of_each()) writer.add(key, value);
    writer.close();
    const gguf::File file(folder / "m.gguf");
    const auto written = one_of_each();
    ASSERT_EQ(file.metadata().entries().size(), written.size());
    for (std::size_t i = 0; i < written.size(); ++i) {
        SCOPED_TRACE(written[i].key);
        EXPECT_EQ(file.metadata().entries()[i].key, written[i].key);
        expect_equal(file.metadata().entries()[i].value, written[i].value);
    }
    EXPECT_TRUE(std::signbit(std::get<float>(file.metadata().find("f32")->value)));
}

TEST(Writer, FilesAreByteForByteWhatTheBuilderMakes) {
    const TemporaryDirectory folder;
    support::Random random(3);
    for (const std::uint32_t alignment : {32u, 1u, 128u, 65'536u}) {
        GgufBuilder expected;
        expected.alignment = alignment;
        if (alignment != 32) expected.set("general.alignment", alignment);
        expected.set("general.name", "same bytes");
        expected.set("some.flags", std::vector<bool>{true, false});
        expected.tensors = {{.name = "a", .shape = {32, 3}, .type = 2, .data = random.bytes(54)},
                            {.name = "empty", .shape = {32, 0}, .type = 2, .data = ""},
                            {.name = "b", .shape = {7}, .type = 0, .data = random.bytes(28)}};
        gguf::Writer writer(folder / "m.gguf", alignment);
        writer.add("general.alignment", scalar(std::uint32_t{7})); // the constructor's counts
        writer.add("general.name", scalar(std::string("same bytes")));
        writer.add("some.flags", array<bool>({true, false}));
        writer.declare("a", quant::Type::q4_0, {32, 3});
        writer.declare("empty", quant::Type::q4_0, {32, 0});
        writer.declare("b", quant::Type::f32, {7});
        const std::string& a = expected.tensors[0].data;
        writer.write(bytes_of(a).first(20)); // in pieces
        writer.write(bytes_of(a).subspan(20));
        writer.write(bytes_of(expected.tensors[2].data));
        writer.close();
        EXPECT_EQ(content_of(folder / "m.gguf"), expected.bytes()) << alignment;
        EXPECT_FALSE(std::filesystem::exists(folder / "m.gguf.part"));
    }
}

TEST(Writer, NothingIsLeftOfAnUnfinishedFile) {
    const TemporaryDirectory folder;
    {
        gguf::Writer writer(folder / "m.gguf");
        writer.declare("a", quant::Type::f32, {2});
        writer.write(bytes_of("12345"));
        EXPECT_TRUE(std::filesystem::exists(folder / "m.gguf.part"));
        try {
            writer.close();
            FAIL() << "closed without all data";
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("tensor \"a\" was given 5 of its 8 bytes"));
        }
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Writer, AnOlderFileStaysUntilTheNewOneIsWhole) {
    const TemporaryDirectory folder;
    { gguf::Writer(folder / "m.gguf").close(); }
    const std::string before = content_of(folder / "m.gguf");
    {
        gguf::Writer writer(folder / "m.gguf");
        writer.declare("a", quant::Type::f32, {2});
        writer.write(bytes_of("1234"));
        EXPECT_EQ(content_of(folder / "m.gguf"), before);
    }
    EXPECT_EQ(content_of(folder / "m.gguf"), before);
}

TEST(Writer, PlacesThatCannotBeWrittenEndWith73) {
    try {
        gguf::Writer writer("/no/such/folder/m.gguf");
        FAIL() << "was created";
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::cannot_create);
        EXPECT_THAT(error.what(),
                    HasSubstr("/no/such/folder/m.gguf.part: cannot create: No such file"));
    }
}

/// As on a full disk: nothing may be written while it lives.
class NoRoom {
  public:
    NoRoom() {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit none{0, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &none);
    }
    ~NoRoom() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    NoRoom(const NoRoom&) = delete;
    NoRoom& operator=(const NoRoom&) = delete;

  private:
    rlimit before_{};
};

TEST(Writer, AFullDiskEndsWith74AndLeavesNothing) {
    const TemporaryDirectory folder;
    try {
        gguf::Writer writer(folder / "m.gguf");
        writer.declare("a", quant::Type::f32, {2});
        const NoRoom limited;
        writer.write(bytes_of("12345678"));
        FAIL() << "was written";
    } catch (const IoError& error) {
        EXPECT_EQ(error.code(), ExitCode::io);
        EXPECT_THAT(error.what(), HasSubstr("cannot write at byte 0: File too large"));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Writer, AnArrayOfArraysCannotBeCopied) {
    const TemporaryDirectory folder;
    gguf::Writer writer(folder / "m.gguf");
    const Value nested = scalar(Array{.element = ValueType::array, .values = gguf::Nested{2}});
    EXPECT_THROW(writer.add("nested", nested), FormatError);
}

} // namespace
