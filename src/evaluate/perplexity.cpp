#include "pillar/evaluate/perplexity.hpp"

#include "evaluation_text.hpp"
#include "scores/scorer.hpp"
#include "statistics/statistics_text.hpp"
#include "window_loop.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/text.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/session/session.hpp"
#include "pillar/terminal/standard_output.hpp"

#include <fmt/core.h>

namespace pillar::evaluate {

namespace {

using log::Level;

/// Memory for the rows of logits of a step, each of the whole vocabulary. Where whole rows go to
/// rank 0, it holds them four times: as they are computed, sent, received and handed on.
constexpr std::uint64_t logit_memory = std::uint64_t{64} << 20;
constexpr std::uint64_t whole_row_copies = 4;

bool needs_whole_rows(const PerplexityOptions& options) {
    return options.saves_logits || !options.base.empty();
}

std::vector<storage::NamedValue> run_settings(const PerplexityOptions& options,
                                              const session::Session& session,
                                              const BaseFile* base) {
    const kernels::Family& family = session.family();
    std::vector<storage::NamedValue> run = {
        {"model", session::model_name(options.model)},
        {"model_hash", fmt::format("{:016x}", session.file().header_hash())},
        // All families of integer activations give the same bits.
        {"kernels", std::string(family.float_activations ? family.name : "integer")},
        {"cache_type", kernels::name_of(options.model.cache_types)},
        {"wire", std::string(comm::name_of(options.model.wire))}};
    if (base != nullptr) run.push_back({"base_model_hash", base->model_hash()});
    return run;
}

/// Rank 0 only: everything of it.
class Root {
  public:
    Root(const PerplexityOptions& options, session::Session& session, const WindowShape& shape,
         WindowedText text, std::optional<BaseFile> base)
        : comm_(session.comm()), shape_(shape), text_(std::move(text)), base_(std::move(base)),
          compares_(base_.has_value()), file_(make_file(options, session)),
          scorer_(shape, session.model().h.vocab_size, base_ ? &*base_ : nullptr,
                  file_ ? &*file_ : nullptr),
          scoring_(session.transformer().options(), [this](const engine::Score& score) {
              comm_.heartbeat(); // the disk may be slow
              scorer_.add(score);
          }) {
        for (std::size_t w = 0; w < n_done(); ++w) take(w, file_->read(w));
        if (n_done() > 0)
            log::root(Level::info, "resumed  {} of {} were there already", n_done(),
                      counted(text_.n_windows, "window"));
    }

    [[nodiscard]] std::size_t n_windows() const noexcept { return text_.n_windows; }
    [[nodiscard]] std::size_t n_done() const noexcept { return file_ ? file_->n_done() : 0; }
    [[nodiscard]] engine::WindowScoring& scoring() noexcept { return scoring_; }

    void begin(std::size_t window) {
        scorer_.begin(window);
        const auto first = text_.ids.begin() + static_cast<std::ptrdiff_t>(window * shape_.length);
        scoring_.begin(
            {TokenIds(first, first + static_cast<std::ptrdiff_t>(shape_.length)), shape_.first});
    }
    void end(std::size_t window) {
        if (file_) file_->add(scorer_.scores());
        take(window, scorer_.scores());
    }
    void finish() {
        if (file_) file_->commit();
        write(compares_ ? comparison_summary(comparisons_) : "\n" + final_text(nll_));
    }

  private:
    std::optional<ScoreFile> make_file(const PerplexityOptions& options,
                                       session::Session& session) const {
        if (options.output.empty()) return std::nullopt;
        const ScoreSettings settings = {
            .shape = shape_,
            .n_windows = text_.n_windows,
            .vocab_size = session.model().h.vocab_size,
            .run = run_settings(options, session, base_ ? &*base_ : nullptr)};
        return std::optional<ScoreFile>(std::in_place, options.output, settings, text_.ids,
                                        ScoreFile::Contents{options.saves_logits, compares_},
                                        options.force);
    }
    /// Adds a window's scores to the sums and prints what they say by now.
    void take(std::size_t window, const WindowScores& scores) {
        for (std::size_t k = 0; k < scores.nll.size(); ++k) {
            nll_.add(scores.nll[k]);
            if (compares_) comparisons_.add(scores.comparison(k));
        }
        if (compares_ && window == 0) write(comparison_head());
        write(compares_ ? comparison_line(window + 1, comparisons_)
                        : running_text(window + 1, nll_));
    }
    void write(std::string_view text) {
        terminal::write_text(text, [this] { comm_.heartbeat(); });
    }

    comm::Communicator& comm_;
    WindowShape shape_;
    WindowedText text_;
    std::optional<BaseFile> base_;
    bool compares_;
    std::optional<ScoreFile> file_;
    Scorer scorer_;
    engine::WindowScoring scoring_;
    Sums nll_;
    ComparisonSums comparisons_;
};

/// Rank 0 only: the windows of the text that is given, or those that the base was made from.
WindowedText windows_of(const PerplexityOptions& options, const tokenizer::Tokenizer& tokenizer,
                        const WindowShape& shape, const std::optional<BaseFile>& base,
                        FunctionRef<void()> heartbeat) {
    if (base && base->vocab_size() != tokenizer.vocabulary().size())
        throw FormatError(base->path(), "vocab_size", std::nullopt,
                          fmt::format("is {}, the model's {}: only models of one vocabulary can be "
                                      "compared",
                                      base->vocab_size(), tokenizer.vocabulary().size()));
    const bool has_text = options.text.prompt || !options.text.file.empty();
    WindowedText text;
    if (has_text) {
        text = read_windows(options.text, tokenizer, shape, options.n_chunks, heartbeat);
        if (base) base->expect_same(text.ids);
    } else {
        text.ids = base->windows();
        text.n_windows = options.n_chunks.value_or(base->n_windows());
        text.n_tokens = text.ids.size();
    }
    if (base) text.n_windows = std::min(text.n_windows, base->n_windows());
    text.ids.resize(text.n_windows * shape.length);
    for (const tokenizer::TokenId id : text.ids)
        if (id < 0 || static_cast<std::size_t>(id) >= tokenizer.vocabulary().size())
            throw FormatError(base ? base->path() : name_of(options.text), "tokens", std::nullopt,
                              fmt::format("has the id {}, which is not in the vocabulary", id));
    return text;
}

std::vector<std::string> inputs_of(const PerplexityOptions& options) {
    std::vector<std::string> others;
    for (const std::string& name : {options.text.file, options.base})
        if (!name.empty()) others.push_back(name);
    return session::files_read(options.model, std::move(others));
}

} // namespace

void validate(const PerplexityOptions& options) {
    if (options.stride > options.model.n_context)
        throw UsageError(fmt::format("--ppl-stride {} is longer than the window of -c {}",
                                     options.stride, options.model.n_context));
}

int measure_perplexity(const PerplexityOptions& given, comm::Environment& environment) {
    PerplexityOptions options = given;
    const WindowShape shape = window_shape(options.model.n_context, options.stride);
    options.model.n_context = shape.length;

    session::SessionNeeds needs;
    needs.loop.full_logits = needs_whole_rows(options);
    needs.loop.log_sums = true;
    needs.logit_bytes = logit_memory / (needs.loop.full_logits ? whole_row_copies : 1);
    std::optional<BaseFile> base;
    needs.check_outputs = [&] {
        terminal::expect_standard_output();
        if (options.base.empty()) expect_text(options.text);
        if (!options.base.empty()) base.emplace(options.base, shape);
        if (!options.output.empty())
            expect_output(options.output, options.force, inputs_of(options));
    };
    WindowedText text;
    needs.read_input = [&](const tokenizer::Tokenizer& tokenizer, std::size_t /*n_context*/,
                           FunctionRef<void()> heartbeat) {
        text = windows_of(options, tokenizer, shape, base, heartbeat);
    };
    session::Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    log::root(Level::info, "text     {}, {} of {}, {} of each are scored",
              counted(text.n_tokens, "token"), counted(text.n_windows, "window"), shape.length,
              shape.n_scored());
    session.tune_allreduce(environment, options.model, shape.length);

    std::optional<Root> root;
    comm::agree(comm, [&] {
        if (comm.is_root()) root.emplace(options, session, shape, std::move(text), std::move(base));
    });
    const auto range = comm::broadcast_from_root(
        comm, root ? WindowRange{root->n_done(), root->n_windows()} : WindowRange{});
    engine::Loop loop(session.transformer(), comm, needs.loop);
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    const auto end_window = [&](std::size_t window) {
        comm::agree(comm, [&] {
            if (root) root->end(window);
        });
    };
    const std::size_t n_done =
        go_through_windows(comm, loop, range,
                           {root ? &root->scoring() : nullptr,
                            [&](std::size_t window) { root->begin(window); }, end_window});
    if (n_done < range.end) {
        tell_stopped(n_done, range.end, !options.output.empty());
        return static_cast<int>(ExitCode::resumable);
    }
    comm::agree(comm, [&] {
        if (root) root->finish();
    });
    if (!options.output.empty())
        log::root(Level::info, "scores   in {}", printable(options.output, 4096));
    return 0;
}

} // namespace pillar::evaluate
