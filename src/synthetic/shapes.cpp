#include "pillar/synthetic/shapes.hpp"

#include <algorithm>
#include <cctype>

namespace pillar::synthetic {

namespace {

// clang-format off
constexpr Shape table[] = {
    // name, title, dim, layers, heads, KV heads, head width, feed-forward, vocabulary, tied, context, rope base,
    // architecture, window, rotary dimensions, logit scale, experts, used
    {"smollm2-135m", "SmolLM2-135M", 576, 30, 9, 3, 64, 1536, 49152, true, 8192, 100'000},
    {"smollm2-360m", "SmolLM2-360M", 960, 32, 15, 5, 64, 2560, 49152, true, 8192, 100'000},
    {"smollm2-1.7b", "SmolLM2-1.7B", 2048, 24, 32, 32, 64, 8192, 49152, true, 8192, 130'000},
    {"tinyllama-1.1b", "TinyLlama-1.1B", 2048, 22, 32, 4, 64, 5632, 32000, false, 2048, 10'000},
    {"llama-3.2-1b", "Llama-3.2-1B", 2048, 16, 32, 8, 64, 8192, 128256, true, 131072, 500'000},
    {"llama-3.2-3b", "Llama-3.2-3B", 3072, 28, 24, 8, 128, 8192, 128256, true, 131072, 500'000},
    {"llama-3.1-8b", "Llama-3.1-8B", 4096, 32, 32, 8, 128, 14336, 128256, false, 131072, 500'000},
    {"llama-2-7b", "Llama-2-7B", 4096, 32, 32, 32, 128, 11008, 32000, false, 4096, 10'000},
    {"llama-2-13b", "Llama-2-13B", 5120, 40, 40, 40, 128, 13824, 32000, false, 4096, 10'000},
    {"mistral-7b-v0.3", "Mistral-7B-v0.3", 4096, 32, 32, 8, 128, 14336, 32768, false, 32768, 1'000'000},
    {"qwen2.5-0.5b", "Qwen2.5-0.5B", 896, 24, 14, 2, 64, 4864, 151936, true, 32768, 1'000'000, "qwen2"},
    {"qwen2.5-1.5b", "Qwen2.5-1.5B", 1536, 28, 12, 2, 128, 8960, 151936, true, 32768, 1'000'000, "qwen2"},
    {"qwen2.5-3b", "Qwen2.5-3B", 2048, 36, 16, 2, 128, 11008, 151936, true, 32768, 1'000'000, "qwen2"},
    {"qwen2.5-7b", "Qwen2.5-7B", 3584, 28, 28, 4, 128, 18944, 152064, false, 32768, 1'000'000, "qwen2"},
    {"qwen3-0.6b", "Qwen3-0.6B", 1024, 28, 16, 8, 128, 3072, 151936, true, 40960, 1'000'000, "qwen3"},
    {"qwen3-1.7b", "Qwen3-1.7B", 2048, 28, 16, 8, 128, 6144, 151936, true, 40960, 1'000'000, "qwen3"},
    {"qwen3-4b", "Qwen3-4B", 2560, 36, 32, 8, 128, 9728, 151936, true, 40960, 1'000'000, "qwen3"},
    {"qwen3-8b", "Qwen3-8B", 4096, 36, 32, 8, 128, 12288, 151936, false, 40960, 1'000'000, "qwen3"},
    {"qwen3-30b-a3b", "Qwen3-30B-A3B", 2048, 48, 32, 4, 128, 768, 151936, false, 40960, 1'000'000, "qwen3moe", 0, 0, 0, 128, 8},
    {"gpt-oss-20b", "gpt-oss-20B", 2880, 24, 64, 8, 64, 2880, 201088, false, 131072, 150'000, "gpt-oss", 128, 0, 0, 32, 4},
    {"bonsai-1.7b", "Bonsai-1.7B", 2048, 28, 16, 8, 128, 6144, 151936, true, 40960, 1'000'000, "qwen3"},
    {"bonsai-4b", "Bonsai-4B", 2560, 36, 32, 8, 128, 9728, 151936, true, 40960, 1'000'000, "qwen3"},
    {"bonsai-8b", "Bonsai-8B", 4096, 36, 32, 8, 128, 12288, 151936, false, 40960, 1'000'000, "qwen3"},
    {"mixtral-8x7b", "Mixtral-8x7B", 4096, 32, 32, 8, 128, 14336, 32000, false, 32768, 1'000'000, "llama", 0, 0, 0, 8, 2},
    {"phi-3.5-mini", "Phi-3.5-mini", 3072, 32, 32, 32, 96, 8192, 32064, false, 131072, 10'000, "phi3"},
    {"phi-4-mini", "Phi-4-mini", 3072, 32, 24, 8, 128, 8192, 200064, true, 131072, 10'000, "phi3", 0, 96},
    {"gemma-2-2b", "Gemma-2-2B", 2304, 26, 8, 4, 256, 9216, 256000, true, 8192, 10'000, "gemma2", 4096},
    {"gemma-3-270m", "Gemma-3-270M", 640, 18, 4, 1, 256, 2048, 262144, true, 32768, 1'000'000, "gemma3", 512},
    {"gemma-3-1b", "Gemma-3-1B", 1152, 26, 4, 1, 256, 6912, 262144, true, 32768, 1'000'000, "gemma3", 512},
    {"gemma-3-4b", "Gemma-3-4B", 2560, 34, 8, 4, 256, 10240, 262208, true, 131072, 1'000'000, "gemma3", 1024},
    {"smollm3-3b", "SmolLM3-3B", 2048, 36, 16, 4, 128, 11008, 128256, true, 65536, 5'000'000, "smollm3"},
    {"granite-3.3-2b", "Granite-3.3-2B", 2048, 40, 32, 8, 64, 8192, 49159, true, 131072, 10'000'000, "granite", 0, 0, 8},
    {"granite-3.3-8b", "Granite-3.3-8B", 4096, 40, 32, 8, 128, 12800, 49159, true, 131072, 10'000'000, "granite", 0, 0, 16},
    {"ministral-3-3b", "Ministral-3-3B", 3072, 26, 32, 8, 128, 9216, 131072, true, 262144, 1'000'000, "mistral3"},
    {"ministral-3-8b", "Ministral-3-8B", 4096, 34, 32, 8, 128, 14336, 131072, false, 262144, 1'000'000, "mistral3"},
    {"olmo-2-1b", "OLMo-2-1B", 2048, 16, 16, 16, 128, 8192, 100352, false, 4096, 500'000, "olmo2"},
    {"olmo-2-7b", "OLMo-2-7B", 4096, 32, 32, 32, 128, 11008, 100352, false, 4096, 500'000, "olmo2"},
    {"olmo-2-13b", "OLMo-2-13B", 5120, 40, 40, 40, 128, 13824, 100352, false, 4096, 500'000, "olmo2"},
};
// clang-format on

/// "@4" of a shape that has fewer layers than the table's.
std::string layers_of(const Shape& shape) {
    const Shape* whole = find_shape(shape.name);
    if (whole == nullptr || whole->n_layers == shape.n_layers) return "";
    return "@" + std::to_string(shape.n_layers);
}

} // namespace

std::span<const Shape> shapes() noexcept {
    return table;
}

const Shape* find_shape(std::string_view name) noexcept {
    const auto equal = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    };
    for (const Shape& shape : table)
        if (std::ranges::equal(name, shape.name, equal)) return &shape;
    return nullptr;
}

std::string name_of(const Shape& shape) {
    return std::string(shape.name) + layers_of(shape);
}

std::string title_of(const Shape& shape) {
    return std::string(shape.title) + layers_of(shape);
}

std::string shape_names() {
    std::string names;
    for (const Shape& shape : table) names += (names.empty() ? "" : ", ") + std::string(shape.name);
    return names;
}

} // namespace pillar::synthetic
