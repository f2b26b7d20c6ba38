#include "work.hpp"

#include "result.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/engine/signals.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/core.h>
#include <thread>

namespace pillar::batch {

namespace {

constexpr std::chrono::milliseconds waiting_time{20}; ///< for an input that has nothing yet

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

} // namespace

Work::Work(const tokenizer::Tokenizer& tokenizer, const chat::Template* chat_template,
           std::string why_not, terminal::InputLines& input, ResultFile& results,
           const WorkOptions& options, std::function<void()> heartbeat)
    : tokenizer_(tokenizer), chat_template_(chat_template), why_not_(std::move(why_not)),
      input_(input), results_(results), options_(options), heartbeat_(std::move(heartbeat)),
      settings_(chat::settings_of(tokenizer)) {}

std::vector<tokenizer::TokenId> Work::prompt_of(const Request& request) const {
    std::vector<tokenizer::TokenId> ids;
    if (request.endpoint == Endpoint::completions) {
        ids = tokenizer_.encode(request.prompt);
    } else {
        if (chat_template_ == nullptr) throw BadRequest(why_not_);
        try {
            ids = chat::token_ids(chat::render(*chat_template_, request.messages, settings_),
                                  tokenizer_);
        } catch (const UsageError& refused) {
            throw BadRequest(refused.what());
        }
    }
    if (ids.empty()) throw BadRequest("the prompt is empty");
    if (ids.size() > request.options.n_context)
        throw BadRequest(fmt::format("the prompt has {} but the context is {}; give a larger "
                                     "--ctx-size or a shorter prompt",
                                     counted(ids.size(), "token"), request.options.n_context));
    return ids;
}

/// Throws BadRequest. nullptr: it has its result already.
std::shared_ptr<Work::Line> Work::begin(const terminal::InputLines::Line& line,
                                        std::string& custom_id) {
    if (line.is_too_long)
        throw BadRequest(fmt::format("the line is longer than {}",
                                     human_bytes(static_cast<double>(terminal::max_line_bytes))));
    auto begun = std::make_shared<Line>();
    begun->number = line.number;
    begun->request = parse_request(line.text, options_.defaults, custom_id);
    if (results_.has(line.number, custom_id)) return nullptr;
    for (const auto& [id, bias] : begun->request.options.biases)
        if (static_cast<std::size_t>(id) >= tokenizer_.vocabulary().size())
            throw BadRequest(fmt::format("logit_bias: token {} is beyond the vocabulary of {}", id,
                                         tokenizer_.vocabulary().size()));
    begun->prompt = prompt_of(begun->request);
    begun->choices.resize(static_cast<std::size_t>(begun->request.n_choices));
    return begun;
}

/// The next line with something to compute; nullptr at the end, where the input has none yet and it
/// may not wait, or where a signal asks for the end.
std::shared_ptr<Work::Line> Work::read_line(bool may_wait) {
    for (;;) {
        while (!input_.is_ready() && !engine::stop_requested() && may_wait) {
            heartbeat_();
            std::this_thread::sleep_for(waiting_time);
        }
        if (!input_.is_ready()) return nullptr;
        const auto line = input_.next(heartbeat_);
        if (!line) {
            is_at_end_ = true;
            return nullptr;
        }
        heartbeat_(); // many lines may be done already
        if (line->number % options_.shard.count != options_.shard.index) continue;
        if (is_blank(line->text)) continue;
        ++counts_.n_lines;
        std::string custom_id;
        try {
            if (auto begun = begin(*line, custom_id)) return begun;
            ++counts_.n_found;
        } catch (const BadRequest& bad) {
            if (results_.has(line->number, custom_id)) {
                ++counts_.n_found;
                continue;
            }
            results_.append(error_line(line->number, custom_id, bad.what()), heartbeat_);
            ++counts_.n_done;
            ++counts_.n_bad;
        }
    }
}

engine::ContinuousBatch::Next Work::next(bool may_wait) {
    if (starting_ == nullptr && !is_at_end_) starting_ = read_line(may_wait);
    if (starting_ == nullptr) return {.sequence = nullptr, .is_end = is_at_end_ || may_wait};
    const std::shared_ptr<Line> line = starting_;
    const std::int32_t choice = line->n_started++;
    if (line->n_started == line->request.n_choices) starting_ = nullptr;
    engine::SequenceOptions options = line->request.options;
    options.sampling.seed += static_cast<std::uint64_t>(choice);
    const std::int32_t number = n_sequences_++;
    running_.emplace(number, std::pair(line, choice));
    return {.sequence = std::make_unique<engine::Sequence>(
                tokenizer_, number, line->prompt, line->request.custom_id, options, nullptr)};
}

void Work::finished(std::unique_ptr<engine::Sequence> sequence) {
    const auto found = running_.find(sequence->number());
    const auto [line, choice] = found->second;
    running_.erase(found);
    line->choices[static_cast<std::size_t>(choice)] = std::move(sequence);
    if (++line->n_ended < line->request.n_choices) return;
    results_.append(
        result_line(line->number, line->request, line->choices, tokenizer_, options_.model),
        heartbeat_);
    ++counts_.n_done;
}

} // namespace pillar::batch
