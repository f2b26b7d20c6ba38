#pragma once
// Rank 0's side of a batch: lines in, sequences out to the scheduler, results out as they end.

#include "request.hpp"
#include "result_file.hpp"

#include "pillar/batch/batch.hpp"
#include "pillar/chat/prompt.hpp"
#include "pillar/chat/template.hpp"
#include "pillar/engine/continuous_batch.hpp"
#include "pillar/terminal/input_lines.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pillar::batch {

struct WorkOptions {
    engine::SequenceOptions defaults;
    Shard shard;
    std::string model; ///< what results call it
};

/// Rank 0 only.
class Work {
  public:
    /// `chat_template`: nullptr where the model has none that is known; `why_not` says so to a line
    /// that needs one.
    Work(const tokenizer::Tokenizer& tokenizer, const chat::Template* chat_template,
         std::string why_not, terminal::InputLines& input, ResultFile& results,
         const WorkOptions& options, std::function<void()> heartbeat);

    /// The next choice of a line, or of the next line that is not done; lines that are bad get
    /// their result at once.
    engine::ContinuousBatch::Next next(bool may_wait);
    void finished(std::unique_ptr<engine::Sequence> sequence);

    struct Counts {
        std::uint64_t n_lines = 0; ///< of the shard, looked at so far
        std::uint64_t n_found = 0; ///< with a result of an earlier run
        std::uint64_t n_done = 0;
        std::uint64_t n_bad = 0; ///< of these: errors
    };
    /// The input has been read to its end.
    [[nodiscard]] bool is_at_end() const noexcept { return is_at_end_; }
    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

  private:
    /// A line whose choices are being computed.
    struct Line {
        std::uint64_t number = 0;
        Request request;
        std::vector<tokenizer::TokenId> prompt;
        std::int32_t n_started = 0;
        std::int32_t n_ended = 0;
        std::vector<std::unique_ptr<engine::Sequence>> choices;
    };
    std::shared_ptr<Line> read_line(bool may_wait);
    std::shared_ptr<Line> begin(const terminal::InputLines::Line& line, std::string& custom_id);
    std::vector<tokenizer::TokenId> prompt_of(const Request& request) const;

    const tokenizer::Tokenizer& tokenizer_;
    const chat::Template* chat_template_;
    std::string why_not_;
    terminal::InputLines& input_;
    ResultFile& results_;
    WorkOptions options_;
    std::function<void()> heartbeat_;
    chat::Settings settings_;        ///< of the whole run: a date among them does not change
    std::shared_ptr<Line> starting_; ///< more of its choices are to come
    std::map<std::int32_t, std::pair<std::shared_ptr<Line>, std::int32_t>> running_;
    std::int32_t n_sequences_ = 0;
    bool is_at_end_ = false;
    Counts counts_;
};

} // namespace pillar::batch
