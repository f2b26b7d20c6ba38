// Each bound of the reader, at the bound and one beyond it, and what is legal though rarely seen.

#include "support/malformed/lists.hpp"
#include "support/models/tiny_model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pillar::support {

namespace {

constexpr std::uint32_t type_f32 = 0;

GgufBuilder base() {
    return build_tiny_model({.n_layers = 1, .dim = 32, .ffn = 32});
}

std::string with_key(std::size_t length) {
    GgufBuilder builder = base();
    builder.set(std::string(length, 'k'), true);
    return builder.bytes();
}

std::string with_string(std::size_t length) {
    GgufBuilder builder = base();
    builder.set("long.string", std::string(length, 's'));
    return builder.bytes();
}

std::string with_tensor(const std::string& name, std::vector<std::uint64_t> shape) {
    GgufBuilder builder = base();
    builder.tensors.push_back(
        {.name = name, .shape = std::move(shape), .type = type_f32, .data = std::string(64, 'x')});
    return builder.bytes();
}

std::string with_alignment(std::uint32_t alignment) {
    GgufBuilder builder = base();
    builder.alignment = alignment;
    builder.set("general.alignment", alignment);
    return builder.bytes();
}

} // namespace

void add_limit_cases(Cases& cases) {
    CaseList list(cases, "limits", Owner::gguf);
    list.add(Verdict::accept, "key-of-65535-bytes", "", "a key of 65,535 bytes",
             [] { return with_key(65'535); });
    list.add(Verdict::refuse, "key-of-65536-bytes", "metadata key", "a key of 65,536 bytes",
             [] { return with_key(65'536); });
    list.add(Verdict::accept, "string-of-16-MiB", "", "a string of 16 MiB",
             [] { return with_string(16u << 20); })
        .is_large = true;
    list.add(Verdict::refuse, "string-beyond-16-MiB", "long.string",
             "a string of 16 MiB and a byte", [] { return with_string((16u << 20) + 1); })
        .is_large = true;
    list.add(Verdict::accept, "name-of-63-bytes", "", "a tensor name of 63 bytes",
             [] { return with_tensor(std::string(63, 'n'), {16}); });
    list.add(Verdict::accept, "four-dimensions", "", "a tensor of four dimensions", [] {
        return with_tensor("four", {2, 2, 2, 2});
    });
    list.add(Verdict::accept, "no-dimension", "", "a tensor of no dimension: one number", [] {
        GgufBuilder builder = base();
        builder.tensors.push_back(
            {.name = "scalar", .shape = {}, .type = type_f32, .data = "1234"});
        return builder.bytes();
    });
    for (std::uint32_t alignment = 1; alignment <= 65'536; alignment *= 2)
        list.add(Verdict::accept, fmt::format("alignment-{}", alignment), "",
                 "alignments 1, 2, 4, … 65536", [=] { return with_alignment(alignment); })
            .class_name = "legal-alignment";
    list.add(Verdict::refuse, "alignment-131072", "general.alignment", "an alignment of 131,072",
             [] { return with_alignment(131'072); });
}

void add_oddity_cases(Cases& cases) {
    CaseList list(cases, "oddities", Owner::gguf);
    list.add(Verdict::accept, "version-2", "", "a version 2 file", [] {
        GgufBuilder builder = base();
        builder.version = 2;
        return builder.bytes();
    });
    list.add(Verdict::accept, "tensors-in-reverse", "", "directory and data in reverse order", [] {
        GgufBuilder builder = base();
        std::ranges::reverse(builder.tensors);
        return builder.bytes();
    });
    list.add(
        Verdict::warn, "directory-in-another-order", "",
        "two entries, the first one's data after the second one's, with a gap between", [] {
            GgufBuilder builder;
            const std::string data(64, 'x');
            builder.tensors = {
                {.name = "late", .shape = {16}, .type = type_f32, .data = data, .offset = 96},
                {.name = "early", .shape = {16}, .type = type_f32, .data = data, .offset = 0},
                {.name = "filler", .shape = {0}, .type = type_f32, .data = std::string(32, 'x')}};
            return builder.bytes();
        });
    list.add(Verdict::warn, "bytes-after-the-end", "", "100 bytes after the last tensor",
             [] { return base().bytes() + std::string(100, 'z'); });
    list.add(Verdict::warn, "last-padding-missing", "", "no padding after the last tensor", [] {
        GgufBuilder builder = base();
        builder.tensors.push_back({.name = "last", .shape = {1}, .type = type_f32, .data = "1234"});
        std::string bytes = builder.bytes();
        bytes.resize(bytes.size() - 28);
        return bytes;
    });
    list.add(Verdict::accept, "header-without-padding", "",
             "metadata only, the file ends with them", [] {
                 GgufBuilder builder = base();
                 builder.tensors.clear();
                 return builder.header();
             });
    list.add(Verdict::accept, "extra-metadata", "", "keys that nobody reads, and a string of 1 MiB",
             [] {
                 GgufBuilder builder = base();
                 builder.set("somebody.else", std::vector<double>{1.0, 2.0});
                 builder.set("some.text", std::string(1u << 20, 't'));
                 return builder.bytes();
             });
    list.add(Verdict::accept, "optional-keys-missing", "",
             "only the keys that no loader can do without", [] {
                 GgufBuilder builder =
                     build_tiny_model({.n_layers = 1, .dim = 32, .n_kv_heads = 4, .ffn = 32});
                 for (const char* key :
                      {"general.name", "general.quantization_version", "llama.rope.dimension_count",
                       "llama.rope.freq_base", "llama.vocab_size", "llama.attention.head_count_kv",
                       "tokenizer.ggml.pre", "tokenizer.chat_template"})
                     builder.remove(key);
                 return builder.bytes();
             });
    list.add(Verdict::warn, "bool-of-2", "", "a bool that is neither 0 nor 1", [] {
        GgufBuilder builder = base();
        builder.set_raw("tokenizer.ggml.add_eos_token", type_number<bool>(), "\x02");
        return builder.bytes();
    });
}

} // namespace pillar::support
