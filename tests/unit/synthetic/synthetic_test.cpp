// Synthetic models against published sizes; their bytes in pieces, whole and from a file.

#include "pillar/synthetic/synthetic.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/model/hyperparameters.hpp"
#include "support/temporary_directory.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace pillar::synthetic {
namespace {

using model::Hyperparameters;
using model::read_hyperparameters;
using quant::Mix;

gguf::File open(const std::string& name) {
    const SyntheticName parsed = parse_synthetic_name(name);
    return synthetic_model(parsed.shape, parsed.mix);
}

std::uint64_t tensor_bytes(const gguf::File& file) {
    std::uint64_t n = 0;
    for (const gguf::TensorInfo& tensor : file.tensors()) n += tensor.size_bytes;
    return n;
}

TEST(synthetic_model, has_the_published_number_of_parameters) {
    const std::map<std::string, std::uint64_t> published = {
        {"smollm2-135m", 134'515'008},     {"smollm2-360m", 361'821'120},
        {"smollm2-1.7b", 1'711'376'384},   {"tinyllama-1.1b", 1'100'048'384},
        {"llama-3.2-1b", 1'235'814'400},   {"llama-3.2-3b", 3'212'749'824},
        {"llama-3.1-8b", 8'030'261'248},   {"llama-2-7b", 6'738'415'616},
        {"llama-2-13b", 13'015'864'320},   {"mistral-7b-v0.3", 7'248'023'552},
        {"qwen2.5-0.5b", 494'032'768},     {"qwen2.5-1.5b", 1'543'714'304},
        {"qwen2.5-3b", 3'085'938'688},     {"qwen2.5-7b", 7'615'616'512},
        {"qwen3-0.6b", 596'049'920},       {"qwen3-1.7b", 1'720'574'976},
        {"qwen3-4b", 4'022'468'096},       {"qwen3-8b", 8'190'735'360},
        {"gpt-oss-20b", 20'914'757'184},   {"bonsai-8b", 8'190'735'360},
        {"bonsai-4b", 4'022'468'096},      {"bonsai-1.7b", 1'720'574'976},
        {"qwen3-30b-a3b", 30'532'122'624}, {"mixtral-8x7b", 46'702'792'704},
        {"phi-3.5-mini", 3'821'079'552},   {"phi-4-mini", 3'836'021'760},
        {"gemma-2-2b", 2'614'341'888},     {"gemma-3-270m", 268'098'176},
        {"gemma-3-1b", 999'885'952},       {"gemma-3-4b", 3'880'263'168},
        {"smollm3-3b", 3'075'098'624},     {"granite-3.3-2b", 2'533'539'840},
        {"granite-3.3-8b", 8'170'864'640}, {"ministral-3-3b", 3'429'006'336},
        {"ministral-3-8b", 8'489'553'920}, {"olmo-2-1b", 1'484'916'736},
        {"olmo-2-7b", 7'298'617'344},      {"olmo-2-13b", 13'716'198'400},
    };
    EXPECT_EQ(published.size(), shapes().size());
    for (const Shape& shape : shapes()) {
        const std::string name(shape.name);
        std::uint64_t n = 0;
        const gguf::File file = open(name + ":f16");
        for (const gguf::TensorInfo& tensor : file.tensors()) n += tensor.n_elements();
        EXPECT_EQ(n, published.at(name)) << name;
    }
}

/// GB (10⁹) of the tensors in files that llama.cpp makes without an importance matrix.
struct Size {
    const char* shape;
    double q2_k, q3_k_m, q4_0, q4_k_m, q5_k_m, q6_k, q8_0;
};
constexpr Size published_sizes[] = {
    {"smollm2-135m", 0.086, 0.092, 0.090, 0.104, 0.110, 0.137, 0.143},
    {"smollm2-360m", 0.217, 0.233, 0.227, 0.269, 0.288, 0.366, 0.385},
    {"smollm2-1.7b", 0.673, 0.858, 0.989, 1.054, 1.224, 1.404, 1.819},
    {"tinyllama-1.1b", 0.431, 0.548, 0.636, 0.667, 0.781, 0.903, 1.169},
    {"llama-3.2-1b", 0.573, 0.683, 0.763, 0.800, 0.904, 1.014, 1.313},
    {"llama-3.2-3b", 1.356, 1.679, 1.909, 2.012, 2.314, 2.636, 3.414},
    {"llama-3.1-8b", 3.171, 4.011, 4.653, 4.913, 5.725, 6.588, 8.533},
    {"llama-2-7b", 2.532, 3.297, 3.825, 4.080, 4.782, 5.528, 7.160},
    {"llama-2-13b", 4.854, 6.337, 7.365, 7.865, 9.229, 10.678, 13.831},
    {"mistral-7b-v0.3", 2.722, 3.522, 4.113, 4.372, 5.135, 5.946, 7.702},
    {"qwen2.5-0.5b", 0.333, 0.350, 0.346, 0.392, 0.414, 0.500, 0.525},
    {"qwen2.5-1.5b", 0.670, 0.818, 0.929, 0.980, 1.119, 1.267, 1.641},
    {"qwen2.5-3b", 1.269, 1.585, 1.817, 1.924, 2.219, 2.532, 3.280},
    {"qwen2.5-7b", 3.010, 3.802, 4.425, 4.677, 5.439, 6.248, 8.093},
    {"qwen3-0.6b", 0.290, 0.341, 0.376, 0.391, 0.438, 0.489, 0.633},
    {"qwen3-1.7b", 0.772, 0.934, 1.048, 1.101, 1.252, 1.412, 1.828},
    {"qwen3-4b", 1.664, 2.070, 2.364, 2.491, 2.884, 3.300, 4.274},
    {"qwen3-8b", 3.276, 4.118, 4.769, 5.022, 5.845, 6.720, 8.704},
    {"phi-3.5-mini", 1.415, 1.955, 2.175, 2.392, 2.815, 3.135, 4.060},
    {"gemma-2-2b", 1.224, 1.456, 1.623, 1.703, 1.917, 2.145, 2.778},
};

TEST(synthetic_model, has_the_size_of_llama_cpps_files) {
    for (const Size& size : published_sizes) {
        const std::pair<Mix, double> mixes[] = {
            {Mix::q2_k, size.q2_k},     {Mix::q3_k_m, size.q3_k_m}, {Mix::q4_0, size.q4_0},
            {Mix::q4_k_m, size.q4_k_m}, {Mix::q5_k_m, size.q5_k_m}, {Mix::q6_k, size.q6_k},
            {Mix::q8_0, size.q8_0}};
        for (const auto& [mix, gigabytes] : mixes) {
            const auto n =
                static_cast<double>(tensor_bytes(synthetic_model(*find_shape(size.shape), mix)));
            EXPECT_NEAR(n / 1e9, gigabytes, 0.0005 + 0.002 * gigabytes)
                << size.shape << " " << quant::info(mix).name;
        }
    }
}

/// A real file, quantised by llama.cpp without an importance matrix.
void expect_tensors_of(const std::string& real_file, const std::string& name) {
    const std::filesystem::path path = std::filesystem::path(PILLAR_MODELS) / real_file;
    if (!std::filesystem::exists(path))
        GTEST_SKIP() << real_file << " is not there; jobs/get_model.sh gets it";
    const gguf::File real(path), made = open(name);
    EXPECT_EQ(made.tensors().size(), real.tensors().size());
    for (const gguf::TensorInfo& tensor : real.tensors()) {
        const gguf::TensorInfo* same = made.find_tensor(tensor.name);
        ASSERT_NE(same, nullptr) << tensor.name;
        EXPECT_EQ(same->type->name, tensor.type->name) << tensor.name;
        EXPECT_EQ(same->shape, tensor.shape) << tensor.name;
    }
}

TEST(synthetic_model, has_the_tensors_of_the_real_file) {
    expect_tensors_of("SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m:q4_1");
}
TEST(synthetic_model, has_the_tensors_of_gemma_with_its_odd_width) {
    expect_tensors_of("gemma-3-270m-q4_k_m.gguf", "gemma-3-270m:q4_k_m");
}

std::vector<std::byte> read(const gguf::File& file, const gguf::TensorInfo& tensor,
                            std::uint64_t begin, std::uint64_t n_bytes) {
    std::vector<std::byte> bytes(n_bytes);
    file.read(tensor, begin, bytes);
    return bytes;
}

TEST(synthetic_model, gives_the_same_bytes_whole_in_pieces_and_from_its_file) {
    const gguf::File model = open("SmolLM2-135M:Q3_K_M");
    const support::TemporaryDirectory folder;
    write_model(model, folder.file("model.gguf"));
    const gguf::File file(folder.file("model.gguf"));
    EXPECT_TRUE(file.warnings().empty());
    EXPECT_EQ(read_hyperparameters(file).head_dim, 64u);
    ASSERT_EQ(file.tensors().size(), model.tensors().size());
    EXPECT_EQ(file.metadata().entries().size(), model.metadata().entries().size());
    std::set<std::string_view> types;
    for (const gguf::TensorInfo& tensor : model.tensors()) {
        const gguf::TensorInfo* written = file.find_tensor(tensor.name);
        ASSERT_NE(written, nullptr);
        const auto whole = read(model, tensor, 0, tensor.size_bytes);
        EXPECT_EQ(read(file, *written, 0, tensor.size_bytes), whole) << tensor.name;
        if (!types.insert(tensor.type->name).second) continue;
        for (const std::uint64_t n : {1u, 3u, 17u, 211u}) // cut blocks and factors anywhere
            for (std::uint64_t begin = 5; begin + n < std::min<std::uint64_t>(2000, whole.size());
                 begin += 13)
                ASSERT_TRUE(std::ranges::equal(read(model, tensor, begin, n),
                                               std::span(whole).subspan(begin, n)))
                    << tensor.name << " byte " << begin;
    }
    EXPECT_GE(types.size(), 4u);
}

TEST(synthetic_model, has_a_vocabulary_that_can_say_anything) {
    const gguf::File model = open("llama-2-7b:q4_0");
    const auto* tokens = model.metadata().strings("tokenizer.ggml.tokens");
    ASSERT_NE(tokens, nullptr);
    EXPECT_EQ(tokens->size(), 32000u);
    EXPECT_EQ(std::set(tokens->begin(), tokens->end()).size(), tokens->size()); // all different
    for (const char* piece : {"<0x00>", "<0xFF>", "\u2581", "!", "~"})
        EXPECT_NE(std::ranges::find(*tokens, piece), tokens->end()) << piece;
    const auto types = model.metadata().integers("tokenizer.ggml.token_type");
    ASSERT_TRUE(types.has_value());
    EXPECT_EQ(std::ranges::count(*types, 6), 256);
}

TEST(synthetic_name, says_what_there_is_when_it_is_wrong) {
    EXPECT_EQ(parse_synthetic_name("LLAMA-3.2-1B:Q4_K_M").mix, Mix::q4_k_m);
    const auto message_of = [](const std::string& name) -> std::string {
        try {
            (void)parse_synthetic_name(name);
        } catch (const UsageError& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(message_of("llama-9:q4_0").find("smollm2-135m"), std::string::npos);
    EXPECT_NE(message_of("llama-2-7b").find("llama-2-7b:q4_0"), std::string::npos);
    EXPECT_NE(message_of("llama-2-7b:q7").find("iq4_xs"), std::string::npos);
    EXPECT_NE(message_of("").find("gemma-2-2b"), std::string::npos);
    for (const char* name : {"llama-2-7b@0:q4_0", "llama-2-7b@33:q4_0", "llama-2-7b@4x:q4_0",
                             "llama-2-7b@:q4_0", "llama-2-7b@-1:q4_0"})
        EXPECT_NE(message_of(name).find("llama-2-7b@N, N from 1 to its 32 layers"),
                  std::string::npos)
            << name;
}

TEST(synthetic_name, takes_the_first_layers_of_a_shape) {
    const gguf::File whole = open("smollm2-135m:q4_0"), cut = open("SmolLM2-135M@3:q4_0");
    EXPECT_EQ(cut.metadata().integer("llama.block_count", 1, 99), 3u);
    EXPECT_EQ(cut.path(), "smollm2-135m@3:q4_0");
    EXPECT_EQ(open("smollm2-135m@30:q4_0").path(), whole.path());
    for (const gguf::TensorInfo& tensor : cut.tensors()) {
        const gguf::TensorInfo* same = whole.find_tensor(tensor.name);
        ASSERT_NE(same, nullptr) << tensor.name;
        std::vector<std::byte> expected(std::min<std::size_t>(tensor.size_bytes, 4096)),
            bytes(expected.size());
        whole.read(*same, 0, expected);
        cut.read(tensor, 0, bytes);
        EXPECT_EQ(bytes, expected) << tensor.name;
    }
}

} // namespace
} // namespace pillar::synthetic
