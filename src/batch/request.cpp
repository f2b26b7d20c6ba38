#include "request.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/engine/step.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace pillar::batch {

namespace {

using nlohmann::json;

constexpr int max_depth = 32; ///< of nesting: no field needs more than 5
constexpr std::int32_t max_choices = 64;
constexpr std::int32_t max_top_logprobs = 20;
constexpr std::size_t max_stops = 16;

/// `key` of an object, nullptr where it is missing or null.
const json* find(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

[[noreturn]] void refuse(std::string_view field, std::string_view problem) {
    throw BadRequest(fmt::format("{}: {}", field, problem));
}

std::string text_of(const json& value, std::string_view field) {
    if (!value.is_string()) refuse(field, "is no string");
    return value.get<std::string>();
}

std::int64_t whole_of(const json& value, std::string_view field, std::int64_t low,
                      std::int64_t high) {
    const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= INT64_MAX : true;
    if (!value.is_number_integer() || !fits) refuse(field, "is no whole number");
    const auto number = value.get<std::int64_t>();
    if (number < low || number > high)
        refuse(field, fmt::format("{} is outside {} to {}", number, low, high));
    return number;
}

float number_of(const json& value, std::string_view field, double low, double high) {
    if (!value.is_number()) refuse(field, "is no number");
    const auto number = value.get<double>();
    if (!(number >= low && number <= high))
        refuse(field, fmt::format("{} is outside {} to {}", number, low, high));
    return static_cast<float>(number);
}

bool flag_of(const json& value, std::string_view field) {
    if (!value.is_boolean()) refuse(field, "is neither true nor false");
    return value.get<bool>();
}

json parse_json(std::string_view line) {
    const json::parser_callback_t watch = [](int depth, json::parse_event_t, json&) {
        if (depth > max_depth)
            throw BadRequest(fmt::format("the line nests deeper than {} levels", max_depth));
        return true;
    };
    try {
        return json::parse(line, watch);
    } catch (const json::parse_error& failure) {
        throw BadRequest(fmt::format("the line is no JSON (byte {})", failure.byte));
    } catch (const json::exception&) { // a number beyond any
        throw BadRequest("the line has a number that is too large");
    }
}

std::vector<std::string> stops_of(const json& value) {
    std::vector<std::string> stops;
    if (value.is_string()) {
        stops.push_back(value.get<std::string>());
    } else {
        if (!value.is_array() || value.size() > max_stops)
            refuse("stop", fmt::format("is neither a string nor a list of up to {}", max_stops));
        for (const json& stop : value) stops.push_back(text_of(stop, "stop"));
    }
    for (const std::string& stop : stops)
        if (stop.empty()) refuse("stop", "an empty text ends every answer");
    return stops;
}

std::vector<std::pair<tokenizer::TokenId, float>> biases_of(const json& value) {
    if (!value.is_object()) refuse("logit_bias", "is no object of token ids and numbers");
    if (value.size() > engine::max_biases)
        refuse("logit_bias",
               fmt::format("{} tokens, at most {} are taken", value.size(), engine::max_biases));
    std::vector<std::pair<tokenizer::TokenId, float>> biases;
    for (const auto& [key, bias] : value.items()) {
        tokenizer::TokenId id = 0;
        const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), id);
        if (failure != std::errc() || end != key.data() + key.size() || id < 0)
            refuse("logit_bias", fmt::format("\"{}\" is no token id", printable(key)));
        biases.emplace_back(id, number_of(bias, "logit_bias", -100, 100));
    }
    return biases;
}

/// `logprobs` is a switch of chats, with top_logprobs beside it, and a number of completions.
void read_logprobs(const json& body, Request& request) {
    const json* logprobs = find(body, "logprobs");
    const json* top = find(body, "top_logprobs");
    if (request.endpoint == Endpoint::completions) {
        if (top != nullptr) refuse("top_logprobs", "is a field of chats; logprobs is the number");
        if (logprobs == nullptr) return;
        request.options.n_top_logprobs =
            static_cast<std::int32_t>(whole_of(*logprobs, "logprobs", 0, max_top_logprobs));
        return;
    }
    const bool wanted = logprobs != nullptr && flag_of(*logprobs, "logprobs");
    if (top != nullptr && !wanted) refuse("top_logprobs", "needs \"logprobs\": true");
    if (!wanted) return;
    request.options.n_top_logprobs =
        top == nullptr
            ? 0
            : static_cast<std::int32_t>(whole_of(*top, "top_logprobs", 0, max_top_logprobs));
}

void read_sampling(const json& body, Request& request) {
    sampling::Parameters& sampling = request.options.sampling;
    const auto number = [&](const char* field, float& to, double low, double high) {
        if (const json* value = find(body, field)) to = number_of(*value, field, low, high);
    };
    number("temperature", sampling.temperature, 0, 100);
    number("top_p", sampling.top_p, 0, 1);
    number("min_p", sampling.min_p, 0, 1);
    number("frequency_penalty", sampling.frequency_penalty, -2, 2);
    number("presence_penalty", sampling.presence_penalty, -2, 2);
    number("repeat_penalty", sampling.repeat_penalty, 0.01, 100);
    if (const json* value = find(body, "top_k"))
        sampling.top_k = static_cast<std::int32_t>(whole_of(*value, "top_k", 0, INT32_MAX));
    if (const json* value = find(body, "seed"))
        sampling.seed = static_cast<std::uint64_t>(whole_of(*value, "seed", INT64_MIN, INT64_MAX));
    if (const json* value = find(body, "ignore_eos"))
        request.options.ignore_eos = flag_of(*value, "ignore_eos");
    if (const json* value = find(body, "stop")) request.options.stops = stops_of(*value);
    if (const json* value = find(body, "logit_bias")) request.options.biases = biases_of(*value);
    if (const json* value = find(body, "n"))
        request.n_choices = static_cast<std::int32_t>(whole_of(*value, "n", 1, max_choices));
    const json* tokens = find(body, "max_tokens");
    const json* completion = find(body, "max_completion_tokens");
    if (tokens != nullptr && completion != nullptr)
        refuse("max_tokens", "stands beside max_completion_tokens; give one of them");
    if (tokens != nullptr || completion != nullptr)
        request.options.n_predict = static_cast<std::int32_t>(
            whole_of(tokens != nullptr ? *tokens : *completion,
                     tokens != nullptr ? "max_tokens" : "max_completion_tokens", 0, INT32_MAX));
    read_logprobs(body, request);
}

/// What clients send along and what changes nothing here.
bool changes_nothing(const std::string& field, const json& value) {
    if (field == "model" || field == "user" || field == "metadata" || field == "store") return true;
    if (field == "stream") return value == false;
    if (field == "response_format") return value == json{{"type", "text"}};
    return false;
}

void expect_known_fields(const json& body, Endpoint endpoint) {
    static constexpr std::string_view known[] = {"temperature",
                                                 "top_p",
                                                 "top_k",
                                                 "min_p",
                                                 "seed",
                                                 "stop",
                                                 "max_tokens",
                                                 "max_completion_tokens",
                                                 "logprobs",
                                                 "top_logprobs",
                                                 "n",
                                                 "logit_bias",
                                                 "frequency_penalty",
                                                 "presence_penalty",
                                                 "repeat_penalty",
                                                 "ignore_eos"};
    for (const auto& [field, value] : body.items()) {
        if (value.is_null() || changes_nothing(field, value)) continue;
        if (field == (endpoint == Endpoint::chat ? "messages" : "prompt")) continue;
        if (std::ranges::find(known, field) == std::end(known))
            refuse(printable(field), "is not supported; leave it out");
    }
}

void read_body(const json& body, Request& request) {
    if (!body.is_object()) refuse("body", "is no object");
    expect_known_fields(body, request.endpoint);
    if (const json* model = find(body, "model")) request.model = text_of(*model, "model");
    if (request.endpoint == Endpoint::chat) {
        const json* messages = find(body, "messages");
        if (messages == nullptr) refuse("messages", "is missing");
        try {
            request.messages = chat::parse_messages(messages->dump(), "messages");
        } catch (const Error& failure) {
            throw BadRequest(failure.what());
        }
    } else {
        const json* prompt = find(body, "prompt");
        if (prompt == nullptr) refuse("prompt", "is missing");
        request.prompt = text_of(*prompt, "prompt");
    }
    read_sampling(body, request);
}

} // namespace

Request parse_request(std::string_view line, const engine::SequenceOptions& defaults,
                      std::string& custom_id) {
    const json all = parse_json(line);
    if (!all.is_object()) throw BadRequest("the line is no JSON object");
    Request request;
    request.options = defaults;
    const json* id = find(all, "custom_id");
    if (id == nullptr) refuse("custom_id", "is missing");
    custom_id = request.custom_id = text_of(*id, "custom_id");
    for (const auto& [field, value] : all.items())
        if (field != "custom_id" && field != "method" && field != "url" && field != "body")
            refuse(printable(field), "is no field of a request");
    if (const json* method = find(all, "method"); method != nullptr && *method != "POST")
        refuse("method", "is not \"POST\"");
    const json* url = find(all, "url");
    if (url == nullptr) refuse("url", "is missing");
    if (*url == "/v1/chat/completions")
        request.endpoint = Endpoint::chat;
    else if (*url == "/v1/completions")
        request.endpoint = Endpoint::completions;
    else
        refuse("url", "is neither \"/v1/chat/completions\" nor \"/v1/completions\"");
    const json* body = find(all, "body");
    if (body == nullptr) refuse("body", "is missing");
    read_body(*body, request);
    return request;
}

} // namespace pillar::batch
