#pragma once
// Text ↔ token ids as the model's GGUF metadata say (tokenizer.ggml.*): SentencePiece-style
// ("llama") and byte-level BPE ("gpt2"). Rank 0 encodes and decodes; every rank may load one (for
// stop ids).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::gguf {
class Metadata;
}

namespace pillar::tokenizer {

using TokenId = std::int32_t;

/// tokenizer.ggml.token_type
enum class TokenType : std::int32_t {
    normal = 1,
    unknown = 2,
    control = 3,
    user_defined = 4,
    unused = 5,
    byte = 6
};

struct Vocabulary {
    std::vector<std::string>
        pieces; ///< as in the file (BPE: in the byte-level alphabet; SPM: with U+2581)
    std::vector<float> scores;    ///< empty or one a piece
    std::vector<TokenType> types; ///< one a piece
    std::optional<TokenId> bos, eos, eot, unk, pad;
    bool add_bos = false;
    bool add_eos = false;
    bool add_space_prefix = false;
    std::string model;         ///< "llama" or "gpt2"
    std::string pre_tokenizer; ///< tokenizer.ggml.pre
    [[nodiscard]] std::size_t size() const noexcept { return pieces.size(); }
};

struct EncodeOptions {
    bool add_special = true; ///< BOS/EOS as the metadata say
    bool parse_special =
        true; ///< control tokens written in the text become their ids; user-defined ones always do
};

/// Part of a text that is tokenised as a whole.
struct TextPart {
    std::string text;
    bool parse_special = false; ///< as in EncodeOptions, for what is written within this part
    bool operator==(const TextPart&) const = default;
};

class Tokenizer {
  public:
    /// Throws FormatError naming the key (also for an unknown model or pre-tokenizer, which it
    /// names).
    explicit Tokenizer(const gguf::Metadata& metadata);
    ~Tokenizer();
    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;

    [[nodiscard]] const Vocabulary& vocabulary() const noexcept;

    /// Any bytes are accepted; what is no UTF-8 goes through byte tokens (or the unknown token).
    [[nodiscard]] std::vector<TokenId> encode(std::string_view text,
                                              const EncodeOptions& options = {}) const;
    /// As of the parts' texts put together, without BOS and EOS of the metadata. A control token
    /// counts where it lies within one part that parses them.
    [[nodiscard]] std::vector<TokenId> encode(std::span<const TextPart> parts) const;

    /// The bytes of one token; control tokens give nothing unless `special`. Out of range: "".
    [[nodiscard]] std::string piece(TokenId id, bool special = false) const;
    [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool special = false) const;

    /// True for ids that end an answer: eos, eot and the pieces that models use as end of turn.
    [[nodiscard]] bool ends_generation(TokenId id) const noexcept;
    /// All of them, ascending.
    [[nodiscard]] std::vector<TokenId> end_tokens() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Turns tokens into text as they come, never emitting part of a character: bytes of an unfinished
/// UTF-8 sequence wait for the next token. Invalid bytes come out as U+FFFD, at the latest with
/// finish().
class StreamDecoder {
  public:
    explicit StreamDecoder(const Tokenizer& tokenizer, bool special = false);
    /// What can be shown after this token (may be empty).
    std::string push(TokenId id);
    /// What is left.
    std::string finish();

  private:
    const Tokenizer* tokenizer_;
    bool special_;
    bool first_ = true; ///< SPM: the space that add_space_prefix put in front is not shown
    std::string pending_;
};

} // namespace pillar::tokenizer
