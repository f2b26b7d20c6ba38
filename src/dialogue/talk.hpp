#pragma once
// Rank 0's side of a chat: what a line asks for, the prompt that the template makes of what was
// said, and the answer as it comes.

#include "command.hpp"
#include "dimmed_thinking.hpp"
#include "history.hpp"

#include "pillar/chat/template.hpp"
#include "pillar/engine/cached_generation.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::dialogue {

struct TalkOptions {
    engine::SequenceOptions answer; ///< of every answer; the seed is that of first attempts
    std::size_t max_rows = 256;     ///< prompt rows a step
    bool shifts_context = false;
    bool dims_thinking = false;
    std::vector<std::string> model_files; ///< that no /save may replace
    engine::Proposer* proposer = nullptr; ///< not owned
};

/// Rank 0 only. What cannot be done is told in the log, and nothing of what was said is lost.
class Talk {
  public:
    using Write = std::function<void(std::string_view)>;

    Talk(const tokenizer::Tokenizer& tokenizer, const chat::Template& chat_template,
         TalkOptions options, engine::CachedGeneration::Keeps keeps, Write write);

    enum class Next : std::uint8_t { line, answer, end };
    /// `answer`: generation() is to be run, then answered() to be called. `heartbeat` is called
    /// while a file is read.
    Next take(std::string_view line, FunctionRef<void()> heartbeat);
    void answered();
    /// Throws UsageError where the template has no place for it.
    void set_system(const std::string& text);

    [[nodiscard]] engine::CachedGeneration& generation() noexcept { return generation_; }
    [[nodiscard]] const History& history() const noexcept { return history_; }
    /// Whether the last line was answered in the log.
    [[nodiscard]] bool has_told() const noexcept { return has_told_; }

    struct Totals {
        std::uint64_t n_read = 0, n_found = 0, n_generated = 0;
        double prompt_s = 0, generation_s = 0;
    };
    [[nodiscard]] const Totals& totals() const noexcept { return totals_; }

  private:
    Next carry_out(const Command& command, FunctionRef<void()> heartbeat);
    Next begin_answer(std::uint64_t attempt);
    std::vector<tokenizer::TokenId> make_room(std::string& text);
    void save(const std::string& path);
    void load(const std::string& path, FunctionRef<void()> heartbeat);
    void tell_stats();
    void tell_room();
    void tell(std::string_view text);
    void warn(std::string_view text);

    const tokenizer::Tokenizer& tokenizer_;
    const chat::Template& template_;
    chat::Settings settings_; ///< of the day on which the chat began
    TalkOptions options_;
    Write write_;
    engine::CachedGeneration generation_;
    History history_;
    History before_; ///< what stands again where there is no answer
    std::optional<DimmedThinking> thinking_;
    std::uint64_t attempt_ = 0; ///< of the last turn
    bool ends_line_ = true;     ///< what was shown last
    bool has_warned_ = false;   ///< that the context is nearly full
    bool has_told_ = false;
    std::set<std::string> own_files_; ///< saved or loaded: they may be replaced
    Totals totals_;
};

} // namespace pillar::dialogue
