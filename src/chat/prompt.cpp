#include "pillar/chat/prompt.hpp"

#include "prompt_writer.hpp"

#include <ctime>

namespace pillar::chat {

void PromptWriter::add(std::string_view text, bool parse_special) {
    if (text.empty()) return;
    if (prompt_.empty() || prompt_.back().parse_special != parse_special)
        prompt_.push_back({{}, parse_special});
    prompt_.back().text += text;
}

namespace {

std::chrono::year_month_day local_date() noexcept {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    return std::chrono::year(local.tm_year + 1900) /
           std::chrono::month(static_cast<unsigned>(local.tm_mon + 1)) /
           std::chrono::day(static_cast<unsigned>(local.tm_mday));
}

} // namespace

std::string text_of(const Prompt& prompt) {
    std::string text;
    for (const tokenizer::TextPart& part : prompt) text += part.text;
    return text;
}

Settings settings_of(const tokenizer::Tokenizer& tokenizer) {
    const tokenizer::Vocabulary& vocabulary = tokenizer.vocabulary();
    Settings settings;
    settings.today = local_date();
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
