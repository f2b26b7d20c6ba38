// Wrong tensor directories and data: the thirteen tensor classes and six data classes of ggml's
// test.

#include "pillar/quant/type.hpp"
#include "support/malformed/lists.hpp"
#include "support/models/gguf_builder.hpp"
#include "support/random.hpp"

#include <fmt/format.h>

#include <limits>

namespace pillar::support {

namespace {

constexpr std::uint32_t n_type_numbers = 43;
constexpr std::uint32_t type_i8 = 24;
constexpr std::uint32_t type_i64 = 27;

/// A random type that files may hold, supported or not.
const quant::TypeInfo& random_type(Random& random) {
    for (;;) {
        const auto* type =
            quant::find_type(static_cast<std::uint32_t>(random.below(n_type_numbers)));
        if (type != nullptr) return *type;
    }
}

/// Thirty small tensors of one to four dimensions, with data.
GgufBuilder random_tensors(std::uint64_t seed, std::uint32_t alignment = 32) {
    Random random(seed, "tensors");
    GgufBuilder builder;
    builder.alignment = alignment;
    if (alignment != 32) builder.set("general.alignment", alignment);
    builder.set("general.name", "random tensors");
    for (int i = 0; i < 30; ++i) {
        const quant::TypeInfo& type = random_type(random);
        RawTensor tensor{.name = fmt::format("my_tensor_{}", i),
                         .shape = {(1 + random.below(10)) * type.block_weights},
                         .type = type.number,
                         .data = {}};
        const std::uint64_t n_dimensions = 1 + random.below(4);
        std::uint64_t rows = 1;
        for (std::uint64_t d = 1; d < n_dimensions; ++d) {
            tensor.shape.push_back(1 + random.below(6));
            rows *= tensor.shape.back();
        }
        tensor.data = random.bytes(tensor.shape[0] / type.block_weights * type.block_bytes * rows);
        builder.tensors.push_back(std::move(tensor));
    }
    return builder;
}

/// A file in which tensor 4 was changed.
template <class Change>
std::function<std::string()> with_tensor(std::uint64_t seed, Change change) {
    return [=] {
        GgufBuilder builder = random_tensors(seed);
        change(builder.tensors[4]);
        return builder.bytes();
    };
}

/// States an alignment other than the one that data and offsets are put at.
std::string with_inconsistent_alignment(std::uint64_t seed, std::uint32_t stated) {
    GgufBuilder builder = random_tensors(seed, 1);
    builder.set("general.alignment", stated);
    return builder.bytes();
}

void add_shape_cases(CaseList& list, std::uint64_t seed) {
    list.add(Verdict::refuse, "dimension-count-5", "tensor \"my_tensor_4\"", "five dimensions",
             with_tensor(seed, [](RawTensor& tensor) {
                 tensor.shape = {32, 1, 1, 1, 1};
             }));
    list.add(Verdict::refuse, "dimension-minus-1", "tensor \"my_tensor_4\"", "a dimension of -1",
             with_tensor(seed, [](RawTensor& tensor) {
                 tensor.shape = {32, ~std::uint64_t{0}};
             }));
    list.add(Verdict::refuse, "element-count-overflow", "tensor \"my_tensor_4\"",
             "dimensions whose product is above 2^63", with_tensor(seed, [](RawTensor& tensor) {
                 tensor.shape = {std::uint64_t{1} << 33, std::uint64_t{1} << 33};
             }));
    list.add(Verdict::refuse, "byte-count-overflow", "tensor \"my_tensor_4\"",
             "an element count below 2^63 of 8 bytes each",
             with_tensor(seed, [](RawTensor& tensor) {
                 tensor.type = type_i64;
                 tensor.shape = {std::uint64_t{1} << 31, std::uint64_t{1} << 31};
             }));
    list.add(Verdict::accept, "zero-dimension", "", "a dimension of 0 in every tensor", [=] {
        GgufBuilder builder = random_tensors(seed);
        for (RawTensor& tensor : builder.tensors) {
            tensor.shape = {tensor.shape[0], 0};
            tensor.data.clear();
        }
        return builder.bytes();
    });
}

void add_entry_cases(CaseList& list, std::uint64_t seed) {
    list.add(Verdict::refuse, "name-of-64-bytes", "name of tensor 4", "a name of 64 bytes",
             with_tensor(seed, [](RawTensor& tensor) { tensor.name = std::string(64, 'n'); }));
    list.add(Verdict::refuse, "bad-tensor-type", "tensor \"my_tensor_4\"", "an unknown type",
             with_tensor(seed, [](RawTensor& tensor) { tensor.type = 9999; }));
    list.add(Verdict::refuse, "offset-minus-1", "tensor \"my_tensor_4\"", "data at offset -1",
             with_tensor(seed, [](RawTensor& tensor) { tensor.offset = ~std::uint64_t{0}; }));
    list.add(Verdict::refuse, "duplicate-tensor", "tensor \"my_tensor_9\"",
             "two tensors of one name",
             with_tensor(seed, [](RawTensor& tensor) { tensor.name = "my_tensor_9"; }));
    list.add(Verdict::refuse, "tensors-at-alignment-13", "general.alignment",
             "tensors and an alignment of 13", [=] { return random_tensors(seed, 13).bytes(); });
    list.add(Verdict::refuse, "tensors-not-at-stated-alignment", "tensor \"my_tensor_",
             "tensors put without gaps where the alignment is 32",
             [=] { return with_inconsistent_alignment(seed, 32); });
    list.add(Verdict::accept, "random-tensors", "", "thirty random tensors",
             [=] { return random_tensors(seed).bytes(); });
    list.add(Verdict::accept, "tensors-at-alignment-1", "", "thirty random tensors without gaps",
             [=] { return random_tensors(seed, 1).bytes(); });
}

} // namespace

void add_tensor_cases(Cases& cases, std::uint64_t seed) {
    CaseList tensors(cases, "tensors", Owner::gguf);
    add_entry_cases(tensors, seed);
    add_shape_cases(tensors, seed);

    CaseList data(cases, "data", Owner::gguf);
    data.add(
        Verdict::refuse, "data-one-byte-short", "tensor \"last\"",
        "the last byte of the last tensor is missing", [=] {
            GgufBuilder builder = random_tensors(seed);
            builder.tensors.push_back(
                {.name = "last", .shape = {64}, .type = type_i8, .data = std::string(64, 'x')});
            std::string bytes = builder.bytes();
            bytes.pop_back();
            return bytes;
        });
    data.add(Verdict::refuse, "data-at-alignment-13", "general.alignment",
             "data put at multiples of 13", [=] {
                 GgufBuilder builder = random_tensors(seed, 13);
                 builder.tensors.resize(1);
                 return builder.bytes();
             });
    data.add(Verdict::refuse, "data-not-at-stated-alignment", "tensor \"my_tensor_",
             "data put without gaps where the alignment is 64",
             [=] { return with_inconsistent_alignment(seed, 64); });
    data.add(Verdict::refuse, "two-tensors-of-2^63-bytes", "tensor \"huge_0\"",
             "two tensors whose sizes add up to about 2^64", [] {
                 GgufBuilder builder;
                 constexpr std::uint64_t huge = 0x7FFF'FFFF'FFFF'FFC0u;
                 for (std::uint64_t i = 0; i < 2; ++i)
                     builder.tensors.push_back({.name = fmt::format("huge_{}", i),
                                                .shape = {huge},
                                                .type = type_i8,
                                                .data = std::string(16, 'x'),
                                                .offset = i * huge});
                 return builder.bytes();
             });
    data.add(Verdict::accept, "random-data", "", "thirty random tensors of another seed",
             [=] { return random_tensors(seed + 1).bytes(); });
    data.add(Verdict::accept, "data-at-alignment-1", "", "the same without gaps",
             [=] { return random_tensors(seed + 1, 1).bytes(); });
    data.add(Verdict::refuse, "directory-without-data", "tensor \"my_tensor_0\"",
             "a directory of tensors at the end of the file",
             [=] { return random_tensors(seed).header(); });
}

} // namespace pillar::support
