// Vocabularies that a tokenizer must not take on trust, and some that look wrong and are not. The
// rest of each file is a good model.

#include "support/malformed/lists.hpp"
#include "support/models/tiny_model.hpp"

#include <fmt/format.h>

namespace pillar::support {

namespace {

constexpr std::uint32_t n_tokens = min_tiny_vocab;
constexpr std::size_t first_byte_token = 3;

constexpr const char* tokens_key = "tokenizer.ggml.tokens";
constexpr const char* scores_key = "tokenizer.ggml.scores";
constexpr const char* types_key = "tokenizer.ggml.token_type";

GgufBuilder base(bool bpe = false) {
    return build_tiny_model(
        {.n_layers = 1, .dim = 32, .ffn = 32, .vocab = n_tokens, .tied = true, .bpe = bpe});
}

template <class Change>
std::function<std::string()> with_metadata(Change change) {
    return [=] {
        GgufBuilder builder = base();
        change(builder);
        return builder.bytes();
    };
}

/// The SentencePiece vocabulary with something changed.
template <class Change>
std::function<std::string()> with_tokens(Change change) {
    return [=] {
        GgufBuilder builder = base();
        TinyVocabulary vocabulary = tiny_spm_vocabulary(n_tokens);
        change(vocabulary);
        set_spm_vocabulary(builder, vocabulary);
        return builder.bytes();
    };
}

void add_columns(CaseList& list) {
    list.add(Verdict::refuse, "no-tokens-key", tokens_key, "no key with tokens, or an empty one",
             with_metadata([](GgufBuilder& file) { file.remove(tokens_key); }))
        .class_name = "no-tokens";
    list.add(
        Verdict::refuse, "no-tokens", tokens_key, "no key with tokens, or an empty one",
        with_metadata([](GgufBuilder& file) { file.set(tokens_key, std::vector<std::string>{}); }));
    list.add(Verdict::refuse, "tokens-of-numbers", tokens_key, "tokens that are no strings",
             with_metadata([](GgufBuilder& file) {
                 file.set(tokens_key, std::vector<std::int32_t>(n_tokens, 1));
             }));
    list.add(Verdict::refuse, "scores-of-bytes", scores_key, "scores of type u8",
             with_metadata([](GgufBuilder& file) {
                 file.set(scores_key, std::vector<std::uint8_t>(n_tokens, 1));
             }));
    list.add(Verdict::refuse, "scores-too-few", scores_key, "fewer scores than tokens",
             with_metadata([](GgufBuilder& file) {
                 file.set(scores_key, std::vector<float>(n_tokens - 1, 0.0f));
             }));
    list.add(Verdict::accept, "token-type-0", "", "the token type \"undefined\", of a plain piece",
             with_tokens([](TinyVocabulary& tokens) { tokens.types[270] = 0; }));
    for (const std::int32_t type : {-1, 7})
        list.add(Verdict::refuse, fmt::format("token-type-{}", type), types_key,
                 "a token type of -1 or 7",
                 with_tokens([=](TinyVocabulary& tokens) { tokens.types[270] = type; }))
            .class_name = "token-type-out-of-range";
}

void add_ids(CaseList& list) {
    for (const char* token : {"bos", "eos", "unknown", "eot", "padding", "eom", "fim_pre"}) {
        const std::string key = fmt::format("tokenizer.ggml.{}_token_id", token);
        for (const std::uint32_t id : {n_tokens, 0x80000000u})
            list.add(Verdict::warn, fmt::format("{}-{}", token, id), "",
                     "the id of a special token that is no id: there is none",
                     with_metadata([=](GgufBuilder& file) { file.set(key, id); }))
                .class_name = "special-id-beyond-vocabulary";
        list.add(Verdict::accept, fmt::format("{}-none", token), "",
                 "-1 for the id of a special token that a model does not have",
                 with_metadata([=](GgufBuilder& file) { file.set(key, ~std::uint32_t{0}); }))
            .class_name = "special-id-none";
        list.add(Verdict::accept, fmt::format("{}-none-i32", token), "",
                 "-1 for the id of a special token that a model does not have",
                 with_metadata([=](GgufBuilder& file) { file.set(key, std::int32_t{-1}); }))
            .class_name = "special-id-none";
        list.add(Verdict::refuse, fmt::format("{}-string", token), key,
                 "the text of a special token instead of its id",
                 with_metadata([=](GgufBuilder& file) { file.set(key, "</s>"); }))
            .class_name = "special-id-of-text";
    }
    list.add(Verdict::refuse, "default-id-beyond-vocabulary",
             "_token_id|tokenizer.ggml.add_bos_token|tokenizer.ggml.tokens",
             "one token, so that the ids meant when no key names them do not exist", [] {
                 GgufBuilder builder = base();
                 builder.set(tokens_key, std::vector<std::string>{"<unk>"});
                 builder.set(scores_key, std::vector<float>{0.0f});
                 builder.set(types_key, std::vector<std::int32_t>{2});
                 for (const char* token : {"bos", "eos", "eot"})
                     builder.remove(fmt::format("tokenizer.ggml.{}_token_id", token));
                 builder.set("llama.vocab_size", std::uint32_t{1});
                 RawTensor& embedding = builder.tensor("token_embd.weight");
                 embedding.data.resize(embedding.data.size() / embedding.shape[1]);
                 embedding.shape[1] = 1;
                 return builder.bytes();
             });
}

void add_pieces(CaseList& list) {
    list.add(Verdict::accept, "merges-of-unknown-pieces", "",
             "a merge whose parts and result are no pieces: it never applies", [] {
                 GgufBuilder builder = base(true);
                 TinyVocabulary vocabulary = tiny_bpe_vocabulary(n_tokens);
                 vocabulary.merges.emplace_back("nobody knows");
                 set_bpe_vocabulary(builder, vocabulary);
                 return builder.bytes();
             });
    for (const char* piece : {"<0x-1>", "<0xZZ>", "<0x1>"})
        list.add(Verdict::refuse, fmt::format("byte-token-{}", std::string(piece + 3, 1)),
                 tokens_key, "byte tokens `<0x-1>`, `<0xZZ>` or `<0x1>`",
                 with_tokens([=](TinyVocabulary& tokens) {
                     tokens.pieces[first_byte_token + 0x41] = piece;
                 }))
            .class_name = "byte-token-of-no-byte";
    list.add(Verdict::accept, "255-byte-tokens", "", "one of the 256 byte tokens missing",
             with_tokens([](TinyVocabulary& tokens) {
                 tokens.pieces[first_byte_token + 0x41] = "not a byte";
                 tokens.types[first_byte_token + 0x41] = 1;
             }));
    list.add(Verdict::refuse, "duplicate-pieces", tokens_key, "two ids of one piece",
             with_tokens([](TinyVocabulary& tokens) { tokens.pieces[310] = tokens.pieces[260]; }));
    list.add(Verdict::accept, "pieces-of-odd-bytes", "", "pieces with a NUL and with invalid UTF-8",
             with_tokens([](TinyVocabulary& tokens) {
                 tokens.pieces[310] = std::string("a\0b", 3);
                 tokens.pieces[311] = "\xFF\xC0\xE2\x96";
                 tokens.pieces[312] = "";
             }));
    list.add(Verdict::refuse, "piece-of-10-MiB", tokens_key, "a piece of 10 MiB",
             with_tokens(
                 [](TinyVocabulary& tokens) { tokens.pieces[310] = std::string(10u << 20, 'p'); }))
        .is_large = true;
}

} // namespace

void add_vocabulary_cases(Cases& cases) {
    CaseList list(cases, "vocabulary", Owner::tokenizer);
    add_columns(list);
    add_ids(list);
    add_pieces(list);
}

} // namespace pillar::support
