// What tokens are for, as far as the file does not say: told by their text, from the names that
// models give them (the same names that llama.cpp goes by, so that an answer ends where it ends
// there).

#include "vocabulary.hpp"

#include "pillar/core/log.hpp"
#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <utility>

namespace pillar::tokenizer {

namespace {

struct Role {
    std::string_view key; ///< of the id in the metadata; names are tried only without it
    std::vector<std::string_view> names;
    bool ends_generation = false;
};

const std::vector<std::string_view>& end_of_turn_names() { // the first one found is `eot`
    static const std::vector<std::string_view> names{
        "<|eot_id|>",         "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>",
        "<|end_of_text|>",    "<EOT>",      "_<EOT>",  "[EOT]",         "<｜end▁of▁sentence｜>",
        "<end_of_utterance>",
    };
    return names;
}

const std::vector<Role>& roles() {
    static const std::vector<Role> all{
        {"",
         {"<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "</s>", "[EOS]", "<eos>", "<turn|>",
          "<|tool_response>", "[e~["},
         true},
        {"tokenizer.ggml.eom_token_id", {"<|eom_id|>"}, true},
        {"tokenizer.ggml.fim_pre_token_id",
         {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>",
          "<|code_prefix|>", "<|prefix|>"}},
        {"tokenizer.ggml.fim_suf_token_id",
         {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>",
          "<|code_suffix|>", "<|suffix|>"}},
        {"tokenizer.ggml.fim_mid_token_id",
         {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>",
          "<|code_middle|>", "<|middle|>"}},
        {"tokenizer.ggml.fim_pad_token_id",
         {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"},
         true},
        {"tokenizer.ggml.fim_rep_token_id",
         {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"},
         true},
        {"tokenizer.ggml.fim_sep_token_id", {"<|file_sep|>"}, true},
    };
    return all;
}

/// Pieces by their text, only those that could have a role.
class Named {
  public:
    explicit Named(const Vocabulary& vocabulary) {
        const auto want = [this](std::string_view name) { ids_.emplace(name, -1); };
        std::ranges::for_each(end_of_turn_names(), want);
        for (const Role& role : roles()) std::ranges::for_each(role.names, want);
        for (const auto* name : {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>", "<s>"})
            want(name);
        for (std::size_t id = 0; id < vocabulary.size(); ++id)
            if (const auto found = ids_.find(vocabulary.pieces[id]); found != ids_.end())
                found->second = static_cast<TokenId>(id);
    }
    [[nodiscard]] std::optional<std::size_t> operator[](std::string_view name) const {
        const auto found = ids_.find(name);
        if (found == ids_.end() || found->second < 0) return std::nullopt;
        return static_cast<std::size_t>(found->second);
    }

  private:
    std::unordered_map<std::string_view, TokenId> ids_;
};

void make_control(Vocabulary& vocabulary, std::size_t id) {
    TokenType& type = vocabulary.types[id];
    if (type == TokenType::control) return;
    log::root(log::Level::debug, "token {} \"{}\" looks like a control token and is taken for one",
              id, printable(vocabulary.pieces[id]));
    type = TokenType::control;
}

/// "</s>" may be a tag of HTML that a vocabulary lists with "<s>" among its own pieces, as Gemma's
/// does, whose texts begin and end with other tokens.
bool is_mark_up(const Vocabulary& vocabulary, const Named& named, std::size_t id) {
    const auto begin = named["<s>"];
    return vocabulary.pieces[id] == "</s>" && vocabulary.types[id] == TokenType::user_defined &&
           begin && vocabulary.types[*begin] == TokenType::user_defined;
}

/// Two families of models talk in channels: there <|end|> ends a message, </s> means nothing.
void make_exceptions(Vocabulary& vocabulary, const Named& named, std::vector<bool>& ends) {
    for (const auto* name : {"<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"})
        if (const auto id = named[name]) vocabulary.types[*id] = TokenType::user_defined;
    const bool calls = named["<|call|>"].has_value() || named["<|calls|>"].has_value();
    const bool has_channels = calls && (named["<|return|>"] || named["<|flush|>"]);
    if (const auto end = named["<|end|>"]; end && has_channels) {
        ends[*end] = false;
        vocabulary.types[*end] = TokenType::user_defined;
        if (vocabulary.eot == static_cast<TokenId>(*end)) vocabulary.eot.reset();
    }
    if (const auto end = named["</s>"]; end && named["<|tool_response>"]) {
        ends[*end] = false;
        vocabulary.types[*end] = TokenType::normal;
    }
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::ranges::any_of(
        parts, [text](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

} // namespace

std::vector<bool> find_ends(Vocabulary& vocabulary, const gguf::Metadata& metadata) {
    const Named named(vocabulary);
    std::vector<bool> ends(vocabulary.size());
    for (const std::string_view name : end_of_turn_names()) {
        const auto id = named[name];
        if (!id) continue;
        ends[*id] = true;
        make_control(vocabulary, *id);
        if (!vocabulary.eot) vocabulary.eot = static_cast<TokenId>(*id);
    }
    for (const Role& role : roles()) {
        if (!role.key.empty()) {
            if (const auto id = read_optional_id(metadata, role.key, vocabulary.size())) {
                if (role.ends_generation) ends[static_cast<std::size_t>(*id)] = true;
                continue;
            }
        }
        for (const std::string_view name : role.names) {
            const auto id = named[name];
            if (!id || is_mark_up(vocabulary, named, *id)) continue;
            if (role.ends_generation) ends[*id] = true;
            make_control(vocabulary, *id);
        }
    }
    for (const auto id : {vocabulary.eos, vocabulary.eot})
        if (id) ends[static_cast<std::size_t>(*id)] = true;
    make_exceptions(vocabulary, named, ends);
    return ends;
}

std::vector<SpecialToken> find_special(const Vocabulary& vocabulary,
                                       const gguf::Metadata& metadata) {
    std::string name;
    if (const std::string* given = metadata.string("general.name")) name = *given;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const bool is_phi3 = contains_any(name, {"phi-3", "phi3"});
    const bool is_jina =
        contains_any(vocabulary.pre_tokenizer, {"jina-v2-de", "jina-v2-es", "jina-v2-code"});
    const bool is_modern_bert = contains_any(name, {"modern-bert"});

    std::vector<SpecialToken> special;
    for (std::size_t id = 0; id < vocabulary.size(); ++id) {
        const TokenType type = vocabulary.types[id];
        const std::string& text = vocabulary.pieces[id];
        const bool is_special = type == TokenType::control || type == TokenType::unknown ||
                                type == TokenType::user_defined;
        if (!is_special || text.empty()) continue;
        SpecialToken token{text, static_cast<TokenId>(id)};
        token.strip_right = is_phi3 && text != "<unk>" && text != "<s>" && text != "<|endoftext|>";
        token.strip_left = (is_jina && text == "<mask>") || (is_modern_bert && text == "[MASK]");
        token.user_defined = type == TokenType::user_defined;
        special.push_back(std::move(token));
    }
    return special;
}

} // namespace pillar::tokenizer
