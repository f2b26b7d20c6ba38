#include "pillar/evaluate/imatrix.hpp"

#include "evaluation_text.hpp"
#include "importance_gathering.hpp"
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

#include <filesystem>
#include <fmt/core.h>

namespace pillar::evaluate {

namespace {

using log::Level;

constexpr std::uint64_t scored_logit_memory = std::uint64_t{64} << 20;

/// Rank 0 only: the chunks' text, and how probable the model holds it.
class Chunks {
  public:
    Chunks(const ImatrixOptions& options, session::Session& session, WindowedText text)
        : comm_(session.comm()), length_(options.model.n_context), text_(std::move(text)),
          first_scored_(options.computes_perplexity ? length_ / 2 : length_),
          all_logits_(options.process_output),
          scorer_({.length = length_, .step = length_, .first = first_scored_},
                  session.model().h.vocab_size, nullptr, nullptr),
          scoring_(session.transformer().options(), [this](const engine::Score& score) {
              comm_.heartbeat();
              scorer_.add(score);
          }) {}

    [[nodiscard]] engine::WindowScoring& scoring() noexcept { return scoring_; }

    void begin(std::size_t chunk) {
        scorer_.begin(chunk);
        const auto first = text_.ids.begin() + static_cast<std::ptrdiff_t>(chunk * length_);
        scoring_.begin({TokenIds(first, first + static_cast<std::ptrdiff_t>(length_)),
                        first_scored_, all_logits_});
    }
    void end(std::size_t chunk) {
        for (const double nll : scorer_.scores().nll) nll_.add(nll);
        if (nll_.n() > 0) write(running_text(chunk + 1, nll_));
    }
    void finish() {
        if (nll_.n() > 0) write("\n" + final_text(nll_));
    }

  private:
    void write(std::string_view text) {
        terminal::write_text(text, [this] { comm_.heartbeat(); });
    }

    comm::Communicator& comm_;
    std::size_t length_;
    WindowedText text_;
    std::size_t first_scored_;
    bool all_logits_;
    Scorer scorer_;
    engine::WindowScoring scoring_;
    Sums nll_;
};

/// Rank 0 only. Throws FormatError where what is there is of other chunks.
void expect_same_chunks(const importance::Matrix& earlier, const ImatrixOptions& options) {
    const auto refuse = [&](const char* key, const std::string& why) {
        throw FormatError(options.output, key, std::nullopt,
                          why + "; give another -o, or replace the file with --force");
    };
    if (earlier.chunk_size != options.model.n_context)
        refuse("imatrix.chunk_size",
               fmt::format("is {}, not the {} of -c", earlier.chunk_size, options.model.n_context));
    const auto file_name = [](const std::string& path) {
        return std::filesystem::path(path).filename();
    };
    if (earlier.datasets.size() != 1 ||
        file_name(earlier.datasets.front()) != file_name(name_of(options.text)))
        refuse("imatrix.datasets", fmt::format("says that the sums are of another text: {}",
                                               printable(joined(earlier.datasets, ", "))));
}

} // namespace

int gather_importance(const ImatrixOptions& options, comm::Environment& environment) {
    const WindowShape shape = {.length = options.model.n_context,
                               .step = options.model.n_context,
                               .first = options.model.n_context / 2};
    session::SessionNeeds needs;
    needs.loop.log_sums = true;
    needs.logit_bytes = scored_logit_memory;
    needs.sums_activations = true;
    std::optional<importance::Matrix> earlier; // rank 0's
    needs.check_outputs = [&] {
        terminal::expect_standard_output();
        expect_text(options.text);
        expect_output(options.output, true,
                      session::files_read(options.model, {options.text.file}));
        if (options.force || !std::filesystem::exists(options.output) ||
            drops_output(output_target(options.output)))
            return;
        earlier = importance::read(options.output);
        expect_same_chunks(*earlier, options);
    };
    WindowedText text;
    needs.read_input = [&](const tokenizer::Tokenizer& tokenizer, std::size_t /*n_context*/,
                           FunctionRef<void()> heartbeat) {
        text = read_windows(options.text, tokenizer, shape, options.n_chunks, heartbeat,
                            options.first_chunk, options.parse_special);
        if (earlier && earlier->chunk_count > text.n_windows)
            log::root(Level::warning, "{} holds {} already", printable(options.output, 4096),
                      counted(earlier->chunk_count, "chunk"));
    };
    session::Session session(environment, options.model, needs);
    comm::Communicator& comm = session.comm();
    log::root(Level::info, "text     {}, {} of {}", counted(text.n_tokens, "token"),
              counted(text.n_windows, "chunk"), shape.length);

    forward::ActivationSums& sums = *session.transformer().activation_sums();
    std::optional<ImportanceGathering> gathering;
    gathering.emplace(comm, session.model(), sums, options.process_output);
    comm::agree(comm, [&] {
        if (earlier) gathering->expect_fits(*earlier, options.output);
    });
    WindowRange range;
    if (comm.is_root()) range = {earlier ? earlier->chunk_count : 0, text.n_windows};
    range = comm::broadcast_from_root(comm, range);
    if (range.begin > 0) {
        gathering->scatter(earlier.value_or(importance::Matrix()));
        log::root(Level::info, "resumed  {} were there already", counted(range.begin, "chunk"));
    }
    session.tune_allreduce(environment, options.model, shape.length);

    std::optional<Chunks> chunks;
    comm::agree(comm, [&] {
        if (comm.is_root()) chunks.emplace(options, session, std::move(text));
    });
    importance::Matrix matrix; // rank 0's
    matrix.datasets = {name_of(options.text)};
    matrix.chunk_size = static_cast<std::uint32_t>(shape.length);
    std::size_t n_saved = range.begin;
    const auto save = [&](std::size_t n_chunks) {
        if (n_chunks == n_saved) return;
        gathering->gather(matrix);
        matrix.chunk_count = static_cast<std::uint32_t>(n_chunks);
        comm::agree(comm, [&] {
            if (!comm.is_root()) return;
            expect_finite(matrix);
            importance::write(matrix, options.output);
        });
        n_saved = n_chunks;
    };
    const auto end_chunk = [&](std::size_t chunk) {
        sums.end_chunk();
        comm::agree(comm, [&] {
            if (chunks) chunks->end(chunk);
        });
        if ((chunk + 1) % options.save_every == 0) save(chunk + 1);
    };
    engine::Loop loop(session.transformer(), comm, needs.loop);
    std::optional<engine::FinishStepOnInterrupt> interruptible;
    if (environment.launch().launcher.empty()) interruptible.emplace();
    const std::size_t n_done =
        go_through_windows(comm, loop, range,
                           {chunks ? &chunks->scoring() : nullptr,
                            [&](std::size_t chunk) { chunks->begin(chunk); }, end_chunk});
    save(std::max(n_done, n_saved));
    if (n_done < range.end) {
        tell_stopped(n_done, range.end, true);
        return static_cast<int>(ExitCode::resumable);
    }
    comm::agree(comm, [&] {
        if (chunks) chunks->finish();
    });
    log::root(Level::info, "imatrix  of {} in {}", counted(n_saved, "chunk"),
              printable(options.output, 4096));
    return 0;
}

} // namespace pillar::evaluate
