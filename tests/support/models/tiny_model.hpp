#pragma once
// A complete model, of the `llama` architecture or another, small enough for unit tests: random
// weights with spreads that keep activations near 1 and logits within about ±10, a
// SentencePiece-style vocabulary with byte tokens, and every key that a loader needs. The same
// options give the same bytes on every machine.

#include "pillar/quant/type.hpp"
#include "support/models/gguf_builder.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pillar::support {

/// longrope: two sets of rotary factors, for contexts within a quarter of the model's and beyond.
enum class RopeScaling { none, linear, yarn, llama3, longrope };

struct TinyModel {
    /// general.architecture. Its own keys have values that leave nothing as it would be in llama
    /// (support/models/tiny_architectures.cpp).
    std::string architecture = "llama";
    std::uint32_t n_layers = 2;
    std::uint32_t dim = 64;
    std::uint32_t n_heads = 4;
    std::uint32_t n_kv_heads = 2;
    std::uint32_t head_dim = 0; ///< 0: dim / n_heads
    std::uint32_t ffn = 160;
    std::uint32_t n_experts = 0; ///< a layer, `ffn` wide each; 0: one feed-forward
    std::uint32_t n_experts_used = 2;
    std::uint32_t vocab = 384; ///< at least min_tiny_vocab
    std::uint32_t context = 256;
    std::uint32_t rotary_dims = 0;    ///< rotated dimensions of a head; 0: all
    std::uint32_t window = 0;         ///< attention.sliding_window, where it is not 0
    std::uint32_t window_pattern = 0; ///< attention.sliding_window_pattern, likewise
    /// Of all matrices; absent: a mix of all formats. Rows that are no whole number of blocks get a
    /// format with smaller blocks (q5_0, then f16). Norms and rope factors are f32.
    std::optional<quant::Type> type = quant::Type::q4_0;
    std::optional<quant::Type> output_type = {}; ///< of embedding and output; absent: as others
    bool tied = true;                            ///< the embedding is the output matrix too
    bool bpe = false;                            ///< byte-level BPE instead of SentencePiece
    RopeScaling rope_scaling = RopeScaling::none;
    float rope_base = 10000.0f;
    std::uint64_t seed = 1;

    [[nodiscard]] std::uint32_t head_width() const {
        return head_dim != 0 ? head_dim : dim / n_heads;
    }
    [[nodiscard]] std::uint32_t rotary_width() const {
        return rotary_dims != 0 ? rotary_dims : head_width();
    }
};

/// What the control tokens, the 256 bytes and the pieces of either vocabulary need.
inline constexpr std::uint32_t min_tiny_vocab = 320;

/// The model in pieces, for tests that change one. Throws std::invalid_argument on options that fit
/// no model.
GgufBuilder build_tiny_model(const TinyModel& options);

/// Names of the architectures that tiny models are made of.
std::vector<std::string> tiny_architectures();
/// What layers of the architecture have beside llama's.
struct TinyLayer {
    bool head_norms = false, post_norms = false, biases = false;
    bool joint_norms = false; ///< of all heads together; and no norms before blocks
    bool fused = false;       ///< queries, keys, values in one tensor; gate and up in another
};
TinyLayer tiny_layer(const std::string& architecture);
/// Keys that the architecture alone has.
void add_own_keys(GgufBuilder& builder, const TinyModel& options);

/// Write the model to `path`. Throws std::runtime_error.
void write_tiny_model(const std::filesystem::path& path, const TinyModel& options);

/// Write bytes to a file. Throws std::runtime_error.
void write_file(const std::filesystem::path& path, const std::string& bytes);

/// The columns of a vocabulary; merges are BPE's only.
struct TinyVocabulary {
    std::vector<std::string> pieces;
    std::vector<float> scores;
    std::vector<std::int32_t> types; ///< 1 normal, 2 unknown, 3 control, 6 byte
    std::vector<std::string> merges;
};
/// <unk> <s> </s>, the bytes, pieces, two control tokens; with fillers `n_tokens` in all.
TinyVocabulary tiny_spm_vocabulary(std::uint32_t n_tokens);
/// The byte alphabet, merged pieces, three control tokens; with fillers `n_tokens` in all.
TinyVocabulary tiny_bpe_vocabulary(std::uint32_t n_tokens);

/// Put a vocabulary into the metadata: its columns, the ids of its control tokens, a chat template.
void set_spm_vocabulary(GgufBuilder& builder, const TinyVocabulary& vocabulary);
void set_bpe_vocabulary(GgufBuilder& builder, const TinyVocabulary& vocabulary);

} // namespace pillar::support
