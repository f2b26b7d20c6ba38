// Sizes that wrap around when they are multiplied, padded or added without care, and directories
// that cost a careless reader the square of their length.

#include "support/malformed/lists.hpp"
#include "support/models/gguf_builder.hpp"

#include <fmt/format.h>

#include <utility>

namespace pillar::support {

namespace {

constexpr std::uint32_t type_f32 = 0;
constexpr std::uint32_t type_q4_0 = 2;
constexpr std::uint32_t type_q4_2 = 4; // removed
constexpr std::uint32_t type_q6_k = 14;
constexpr std::uint32_t type_i8 = 24;
constexpr std::uint32_t array_type = 9;

std::string with_tensor(std::uint32_t type, std::vector<std::uint64_t> shape) {
    GgufBuilder builder;
    builder.set("general.name", "sizes");
    builder.tensors.push_back(
        {.name = "victim", .shape = std::move(shape), .type = type, .data = std::string(64, 'x')});
    return builder.bytes();
}

/// Empty tensors whose names differ in the last characters only.
std::string many_tensors(std::uint64_t n) {
    GgufBuilder builder;
    builder.tensors.reserve(n);
    for (std::uint64_t i = 0; i < n; ++i)
        builder.tensors.push_back({.name = fmt::format("{:a>57}{:05x}", "", i),
                                   .shape = {0},
                                   .type = type_i8,
                                   .data = {}});
    return builder.bytes();
}

std::string many_pairs(std::uint64_t n) {
    GgufBuilder builder;
    builder.pairs.reserve(n);
    for (std::uint64_t i = 0; i < n; ++i)
        builder.pairs.push_back({fmt::format("{:a>57}{:05x}", "", i), 0, "x", std::nullopt});
    return builder.bytes();
}

/// The shortest pairs there are: what they become in memory is largest against the file.
std::string shortest_pairs(std::uint64_t n) {
    GgufBuilder builder;
    builder.pairs.reserve(n);
    for (std::uint64_t i = 0; i < n; ++i)
        builder.pairs.push_back({raw(i).substr(0, 2), 0, "x", std::nullopt});
    return builder.bytes();
}

} // namespace

void add_arithmetic_cases(Cases& cases) {
    CaseList list(cases, "arithmetic", Owner::gguf);
    list.add(Verdict::refuse, "padding-wrap", "tensor \"victim\"",
             "2^64 - 4 bytes, which wrap when padded",
             [] { return with_tensor(type_f32, {(std::uint64_t{1} << 62) - 1}); });
    list.add(Verdict::refuse, "row-size-wrap", "tensor \"victim\"",
             "a row of 2^62 weights, whose bytes wrap when counted before division by the block",
             [] { return with_tensor(type_q6_k, {std::uint64_t{1} << 62}); });
    list.add(Verdict::refuse, "row-not-whole-blocks", "tensor \"victim\"",
             "rows of 48 weights in blocks of 32", [] {
                 return with_tensor(type_q4_0, {48, 2});
             });
    list.add(Verdict::refuse, "removed-type", "tensor \"victim\"",
             "a type that was removed from the format",
             [] { return with_tensor(type_q4_2, {32}); });
    for (const auto& [type, name] : {std::pair(8u, "strings"), std::pair(10u, "u64")})
        list.add(Verdict::refuse, fmt::format("array-count-wraps-{}", name), "wide.array",
                 "2^61 + 1 array elements of at least 8 bytes, which wrap to 8",
                 [type = type] {
                     GgufBuilder builder;
                     builder.set_raw(
                         "wide.array", array_type,
                         raw_array(type, (std::uint64_t{1} << 61) + 1, std::string(64, '\0')));
                     return builder.bytes();
                 })
            .class_name = "array-count-wraps";
    list.add(Verdict::refuse, "sizes-add-up-to-2^64", "tensor \"",
             "tensors, each possible, whose sizes add up to 2^64", [] {
                 GgufBuilder builder;
                 constexpr std::uint64_t quarter = std::uint64_t{1} << 62;
                 for (std::uint64_t i = 0; i < 4; ++i)
                     builder.tensors.push_back({.name = fmt::format("quarter_{}", i),
                                                .shape = {quarter},
                                                .type = type_i8,
                                                .data = std::string(32, 'x'),
                                                .offset = i * quarter});
                 return builder.bytes();
             });
    list.add(Verdict::refuse, "65537-tensors", "tensor count",
             "65,537 tensors with names of one beginning", [] { return many_tensors(65'537); })
        .is_large = true;
    list.add(Verdict::accept, "65536-tensors", "", "65,536 of them, which must not take long",
             [] { return many_tensors(65'536); })
        .is_large = true;
    list.add(Verdict::refuse, "65537-pairs", "metadata count",
             "65,537 metadata pairs with keys of one beginning", [] { return many_pairs(65'537); })
        .is_large = true;
    list.add(Verdict::accept, "65536-pairs", "", "65,536 of them, which must not take long",
             [] { return many_pairs(65'536); })
        .is_large = true;
    list.add(Verdict::accept, "shortest-pairs", "", "65,536 pairs of 15 bytes each",
             [] { return shortest_pairs(65'536); })
        .is_large = true;
}

} // namespace pillar::support
