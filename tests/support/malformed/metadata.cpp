// Wrong key-value pairs: the seven metadata classes of ggml's test.

#include "support/malformed/lists.hpp"
#include "support/models/gguf_builder.hpp"
#include "support/random.hpp"

#include <fmt/format.h>

namespace pillar::support {

namespace {

constexpr std::uint32_t string_type = 8;
constexpr std::uint32_t array_type = 9;
constexpr std::uint32_t n_types = 13;
constexpr std::uint64_t widths[n_types] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

std::string random_string(Random& random) {
    return raw_string(random.bytes(random.below(64)));
}

std::string random_array(Random& random) {
    std::uint32_t element = array_type;
    while (element == array_type) element = static_cast<std::uint32_t>(random.below(n_types));
    const std::uint64_t count = random.below(17);
    std::string elements;
    for (std::uint64_t i = 0; i < count; ++i)
        elements += element == string_type ? random_string(random) : random.bytes(widths[element]);
    return raw_array(element, count, elements);
}

/// A hundred pairs of all types; every type occurs.
GgufBuilder random_pairs(std::uint64_t seed) {
    Random random(seed, "pairs");
    GgufBuilder builder;
    for (std::uint32_t i = 0; i < 100; ++i) {
        const auto type = i < n_types ? i : static_cast<std::uint32_t>(random.below(n_types));
        std::string value = type == string_type  ? random_string(random)
                            : type == array_type ? random_array(random)
                                                 : random.bytes(widths[type]);
        builder.set_raw(fmt::format("my_key_{}", i), type, std::move(value));
    }
    return builder;
}

} // namespace

void add_metadata_cases(Cases& cases, std::uint64_t seed) {
    CaseList list(cases, "metadata", Owner::gguf);
    list.add(Verdict::refuse, "key-length-minus-1", "metadata key 0", "a key of -1 bytes", [=] {
        GgufBuilder builder = random_pairs(seed);
        builder.pairs.front().key_length = ~std::uint64_t{0};
        return builder.bytes();
    });
    list.add(Verdict::refuse, "empty-key", "metadata key 7", "a key of no bytes", [=] {
        GgufBuilder builder = random_pairs(seed);
        builder.pairs[7].key.clear();
        return builder.bytes();
    });
    list.add(Verdict::refuse, "bad-value-type", "my_key_5", "value type 13, the first unknown",
             [=] {
                 GgufBuilder builder = random_pairs(seed);
                 builder.pairs[5].type = n_types;
                 return builder.bytes();
             });
    list.add(Verdict::refuse, "duplicate-key", "my_key_3", "two pairs of one key", [=] {
        GgufBuilder builder = random_pairs(seed);
        builder.pairs[90].key = "my_key_3";
        return builder.bytes();
    });
    list.add(Verdict::refuse, "alignment-13", "general.alignment", "an alignment of 13", [=] {
        GgufBuilder builder = random_pairs(seed);
        builder.set("general.alignment", std::uint32_t{13});
        return builder.bytes();
    });
    list.add(Verdict::refuse, "alignment-of-wrong-type", "general.alignment",
             "an alignment of type i32", [=] {
                 GgufBuilder builder = random_pairs(seed);
                 builder.set("general.alignment", std::int32_t{32});
                 return builder.bytes();
             });
    // Random bytes make bools that are neither 0 nor 1, which is odd.
    list.add(Verdict::warn, "random-pairs", "", "a hundred random pairs of all thirteen types",
             [=] { return random_pairs(seed).bytes(); });
}

} // namespace pillar::support
