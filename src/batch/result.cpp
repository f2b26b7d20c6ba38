#include "result.hpp"

#include <ctime>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace pillar::batch {

namespace {

using nlohmann::ordered_json;

/// Broken bytes at the end of an answer that was cut become U+FFFD.
std::string dumped(const ordered_json& value) {
    return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

const char* finish_reason(const engine::Sequence& sequence) {
    return sequence.finish_reason() == engine::FinishReason::stop ? "stop" : "length";
}

ordered_json bytes_of(const std::string& text) {
    ordered_json bytes = ordered_json::array();
    for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
    return bytes;
}

ordered_json token_json(const tokenizer::Tokenizer& tokenizer, tokenizer::TokenId id,
                        float logprob) {
    const std::string text = tokenizer.decode(std::span(&id, 1), true);
    return {{"token", text}, {"logprob", logprob}, {"bytes", bytes_of(text)}};
}

/// {"content": [{token, logprob, bytes, top_logprobs}]}
ordered_json chat_logprobs(const engine::Sequence& sequence,
                           const tokenizer::Tokenizer& tokenizer) {
    ordered_json content = ordered_json::array();
    for (const engine::TokenLogprobs& token : sequence.logprobs()) {
        ordered_json entry = token_json(tokenizer, token.id, token.logprob);
        ordered_json top = ordered_json::array();
        for (const auto& [id, logprob] : token.top)
            top.push_back(token_json(tokenizer, id, logprob));
        entry["top_logprobs"] = std::move(top);
        content.push_back(std::move(entry));
    }
    return {{"content", std::move(content)}};
}

/// {"tokens", "token_logprobs", "top_logprobs", "text_offset"}
ordered_json completion_logprobs(const engine::Sequence& sequence,
                                 const tokenizer::Tokenizer& tokenizer) {
    ordered_json tokens = ordered_json::array(), logprobs = ordered_json::array();
    ordered_json top = ordered_json::array(), offsets = ordered_json::array();
    std::size_t at = 0;
    for (const engine::TokenLogprobs& token : sequence.logprobs()) {
        const std::string text = tokenizer.decode(std::span(&token.id, 1), true);
        tokens.push_back(text);
        logprobs.push_back(token.logprob);
        ordered_json best = ordered_json::object();
        for (const auto& [id, logprob] : token.top)
            best[tokenizer.decode(std::span(&id, 1), true)] = logprob;
        top.push_back(std::move(best));
        offsets.push_back(at);
        at += text.size();
    }
    return {{"tokens", std::move(tokens)},
            {"token_logprobs", std::move(logprobs)},
            {"top_logprobs", std::move(top)},
            {"text_offset", std::move(offsets)}};
}

ordered_json choice_json(std::size_t index, Endpoint endpoint, const engine::Sequence& sequence,
                         const tokenizer::Tokenizer& tokenizer) {
    const bool is_chat = endpoint == Endpoint::chat;
    ordered_json choice{{"index", index}};
    if (is_chat)
        choice["message"] = {{"role", "assistant"}, {"content", sequence.completion()}};
    else
        choice["text"] = sequence.completion();
    choice["logprobs"] = nullptr;
    if (sequence.options().n_top_logprobs >= 0)
        choice["logprobs"] =
            is_chat ? chat_logprobs(sequence, tokenizer) : completion_logprobs(sequence, tokenizer);
    choice["finish_reason"] = finish_reason(sequence);
    return choice;
}

} // namespace

std::string id_of(std::uint64_t line) {
    return fmt::format("{}{}", id_prefix, line);
}

std::string result_line(std::uint64_t line, const Request& request,
                        const std::vector<std::unique_ptr<engine::Sequence>>& choices,
                        const tokenizer::Tokenizer& tokenizer, const std::string& model) {
    ordered_json all = ordered_json::array();
    std::uint64_t n_generated = 0;
    const std::uint64_t n_prompt = choices.front()->timings().n_prompt;
    for (std::size_t c = 0; c < choices.size(); ++c) {
        all.push_back(choice_json(c, request.endpoint, *choices[c], tokenizer));
        n_generated += choices[c]->timings().n_generated;
    }
    const bool is_chat = request.endpoint == Endpoint::chat;
    ordered_json body{{"id", fmt::format("{}-{}", is_chat ? "chatcmpl" : "cmpl", line)},
                      {"object", is_chat ? "chat.completion" : "text_completion"},
                      {"created", static_cast<std::int64_t>(std::time(nullptr))},
                      {"model", request.model.empty() ? model : request.model},
                      {"choices", std::move(all)},
                      {"usage",
                       {{"prompt_tokens", n_prompt},
                        {"completion_tokens", n_generated},
                        {"total_tokens", n_prompt + n_generated}}}};
    const ordered_json result{
        {"id", id_of(line)},
        {"custom_id", request.custom_id},
        {"response",
         {{"status_code", 200}, {"request_id", id_of(line)}, {"body", std::move(body)}}},
        {"error", nullptr}};
    return dumped(result);
}

std::string error_line(std::uint64_t line, const std::string& custom_id,
                       const std::string& message) {
    ordered_json result{{"id", id_of(line)},
                        {"custom_id", custom_id},
                        {"response", nullptr},
                        {"error",
                         {{"code", "invalid_request"},
                          {"message", fmt::format("line {}: {}", line + 1, message)}}}};
    if (custom_id.empty()) result["custom_id"] = nullptr;
    return dumped(result);
}

} // namespace pillar::batch
