// Files that end too early, counts and lengths that reach beyond them, and data in impossible
// places.

#include "support/malformed/lists.hpp"
#include "support/models/tiny_model.hpp"

#include <fmt/format.h>

namespace pillar::support {

namespace {

constexpr std::uint32_t type_f32 = 0;
constexpr std::uint32_t array_type = 9;
constexpr std::uint32_t u32_type = 4;

GgufBuilder base() {
    return build_tiny_model({.n_layers = 1, .dim = 32, .ffn = 32});
}

/// The base with two f32 tensors of 16 weights at its end, to be moved about.
GgufBuilder with_two_tensors() {
    GgufBuilder builder = base();
    for (const char* name : {"first_of_two", "second_of_two"})
        builder.tensors.push_back(
            {.name = name, .shape = {16}, .type = type_f32, .data = std::string(64, 'x')});
    return builder;
}

/// Where the data of the first of the two lie.
std::uint64_t offset_of_first(const GgufBuilder& builder) {
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i + 2 < builder.tensors.size(); ++i)
        offset += (builder.tensors[i].data.size() + 31) / 32 * 32;
    return offset;
}

/// An array in arrays, `depth` levels, the innermost of numbers.
std::string nested(std::size_t depth) {
    std::string value = raw_array(u32_type, 2, raw(std::uint32_t{1}) + raw(std::uint32_t{2}));
    for (std::size_t i = 1; i < depth; ++i) value = raw_array(array_type, 1, value);
    return value;
}

void add_short_files(CaseList& list) {
    for (const std::size_t size : {0u, 3u, 23u}) {
        const char* field = size < 4 ? "magic" : "metadata count";
        list.add(Verdict::refuse, fmt::format("file-of-{}-bytes", size), field,
                 "the whole file is 0, 3 or 23 bytes long",
                 [=] { return base().bytes().substr(0, size); })
            .class_name = "shorter-than-header";
    }
    const std::size_t header = base().header().size();
    for (std::size_t size = 64; size < header; size += 64)
        list.add(Verdict::refuse, fmt::format("cut-at-byte-{}", size), "",
                 "cut off at each 64th byte of metadata and directory",
                 [=] { return base().bytes().substr(0, size); })
            .class_name = "cut-in-header";
}

void add_lengths(CaseList& list) {
    list.add(Verdict::refuse, "string-one-byte-too-long", "last.key",
             "a string of one byte more than the file has left", [] {
                 GgufBuilder builder = base();
                 builder.tensors.clear();
                 builder.set_raw("last.key", 8, raw(std::uint64_t{6}) + "value");
                 return builder.header();
             });
    list.add(Verdict::refuse, "array-one-element-too-long", "last.key",
             "an array of one element more than the file has room for", [] {
                 GgufBuilder builder = base();
                 builder.tensors.clear();
                 builder.set_raw("last.key", array_type, raw_array(u32_type, 3, "12345678"));
                 return builder.header();
             });
    list.add(Verdict::warn, "array-of-arrays", "", "arrays in arrays, eight deep", [] {
        GgufBuilder builder = base();
        builder.set_raw("nested.key", array_type, nested(9));
        return builder.bytes();
    });
    list.add(Verdict::refuse, "array-of-arrays-too-deep", "nested.key",
             "arrays in arrays, nine deep", [] {
                 GgufBuilder builder = base();
                 builder.set_raw("nested.key", array_type, nested(10));
                 return builder.bytes();
             });
    list.add(Verdict::refuse, "2^40-tensors", "tensor count", "2^40 tensors", [] {
        GgufBuilder builder = base();
        builder.n_tensors = std::uint64_t{1} << 40;
        return builder.bytes();
    });
    list.add(Verdict::refuse, "2^40-pairs", "metadata count", "2^40 metadata pairs", [] {
        GgufBuilder builder = base();
        builder.n_pairs = std::uint64_t{1} << 40;
        return builder.bytes();
    });
}

void add_places(CaseList& list) {
    for (const std::uint32_t alignment : {std::uint32_t{1} << 31, std::uint32_t{0}})
        list.add(Verdict::refuse, fmt::format("alignment-{}", alignment), "general.alignment",
                 fmt::format("an alignment of {}", alignment), [=] {
                     GgufBuilder builder = base();
                     builder.set("general.alignment", alignment);
                     return builder.bytes();
                 });
    list.add(Verdict::refuse, "offset-not-aligned", "tensor \"second_of_two\"",
             "an offset that is no multiple of the alignment, the data being there", [] {
                 GgufBuilder builder = with_two_tensors();
                 builder.tensors.back().offset = offset_of_first(builder) + 64 + 16;
                 return builder.bytes() + std::string(32, 'x');
             });
    list.add(Verdict::refuse, "overlap", "first_of_two|second_of_two",
             "two tensors whose data share 32 bytes", [] {
                 GgufBuilder builder = with_two_tensors();
                 builder.tensors.back().offset = offset_of_first(builder) + 32;
                 return builder.bytes();
             });
    list.add(Verdict::refuse, "extent-one-byte-too-long", "tensor \"second_of_two\"",
             "a tensor that ends one byte after the file", [] {
                 std::string bytes = with_two_tensors().bytes();
                 bytes.pop_back();
                 return bytes;
             });
}

} // namespace

void add_bounds_cases(Cases& cases) {
    CaseList list(cases, "bounds", Owner::gguf);
    add_short_files(list);
    add_lengths(list);
    add_places(list);
}

} // namespace pillar::support
