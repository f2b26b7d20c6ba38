#pragma once
// The HDF5 file of `perplexity` (docs/command_line.md): the score of every scored token and, with
// --save-logits, whole rows of logits, against which another model can be compared. It is laid out
// whole at first, as NAME.part, and filled window by window: a run that was stopped or killed goes
// on from there, and the name is given at the end.

#include "statistics/statistics.hpp"
#include "text_windows.hpp"

#include "pillar/storage/reader.hpp"
#include "pillar/storage/writer.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pillar::evaluate {

/// What a run's scores depend on. Only what was made alike is put into one file, or compared.
struct ScoreSettings {
    WindowShape shape;
    std::size_t n_windows = 0;
    std::size_t vocab_size = 0;
    std::vector<storage::NamedValue> run; ///< the model and how it is computed
};

/// The scores of one window, (n_scored) each; those of a comparison are empty without one.
struct WindowScores {
    std::vector<double> nll;         ///< −ln p of the tokens that stand in the text
    std::vector<double> log_sum_exp; ///< ln Σ exp of the row of logits
    std::vector<double> nll_base, kl_divergence, p_difference;
    std::vector<std::uint8_t> same_best;

    void clear() noexcept;
    [[nodiscard]] Comparison comparison(std::size_t k) const;
};

/// Rank 0 only.
class ScoreFile {
  public:
    struct Contents {
        bool logits = false;
        bool comparison = false;
    };
    /// Goes on with what an earlier run with the same settings and tokens has left; with `anew` it
    /// begins at the first window. Throws IoError; FormatError where what is left is of another
    /// run.
    ScoreFile(const std::string& path, const ScoreSettings& settings, const TokenIds& windows,
              Contents contents, bool anew);

    /// Windows that are complete.
    [[nodiscard]] std::size_t n_done() const noexcept { return n_done_; }
    /// Scores of one of them.
    [[nodiscard]] WindowScores read(std::size_t window) const;

    /// The logits that score number `k` of a window was made from; dropped where none are kept.
    void add_logits(std::size_t window, std::size_t k, std::span<const float> logits);
    /// The next window is complete: on the medium when this returns.
    void add(const WindowScores& scores);
    /// All windows are: give the file its name.
    void commit();

  private:
    struct Columns;
    void create(const TokenIds& windows);
    void go_on(const TokenIds& windows);

    std::string path_, target_, part_;
    ScoreSettings settings_;
    Contents contents_;
    std::size_t n_done_ = 0;
    std::optional<storage::File> file_; ///< none where all is dropped: /dev/null
    std::optional<storage::FixedColumn> done_, nll_, log_sum_exp_, logits_;
    std::optional<storage::FixedColumn> nll_base_, kl_, p_difference_, same_best_;
};

} // namespace pillar::evaluate
