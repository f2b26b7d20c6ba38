#include "pillar/chat/prompt.hpp"

#include "prompt_writer.hpp"

namespace pillar::chat {

void PromptWriter::add(std::string_view text, bool parse_special) {
    if (text.empty()) return;
    if (prompt_.empty() || prompt_.back().parse_special != parse_special)
        prompt_.push_back({{}, parse_special});
    prompt_.back().text += text;
}

std::string text_of(const Prompt& prompt) {
    std::string text;
    for (const tokenizer::TextPart& part : prompt) text += part.text;
    return text;
}

Settings settings_of(const tokenizer::Tokenizer& tokenizer) {
    const tokenizer::Vocabulary& vocabulary = tokenizer.vocabulary();
    Settings settings;
    if (vocabulary.bos) settings.bos = tokenizer.piece(*vocabulary.bos, true);
    if (vocabulary.eos) settings.eos = tokenizer.piece(*vocabulary.eos, true);
    return settings;
}

std::vector<tokenizer::TokenId> token_ids(const Prompt& prompt,
                                          const tokenizer::Tokenizer& tokenizer) {
    std::vector<tokenizer::TokenId> ids = tokenizer.encode(prompt);
    const tokenizer::Vocabulary& vocabulary = tokenizer.vocabulary();
    if (vocabulary.add_bos && (ids.empty() || ids.front() != *vocabulary.bos))
        ids.insert(ids.begin(), *vocabulary.bos);
    return ids;
}

} // namespace pillar::chat
