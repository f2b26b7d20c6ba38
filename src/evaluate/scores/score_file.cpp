#include "scores/score_file.hpp"

#include "scores/score_layout.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/text.hpp"

#include <filesystem>
#include <fmt/core.h>
#include <system_error>

namespace pillar::evaluate {

namespace {

std::vector<storage::NamedValue> attributes_of(const ScoreSettings& settings) {
    const auto whole = [](std::size_t n) { return static_cast<std::int64_t>(n); };
    std::vector<storage::NamedValue> all = {
        {layout::kind_key, std::string(layout::kind)},
        {layout::version_key, layout::version},
        {layout::length_key, whole(settings.shape.length)},
        {layout::step_key, whole(settings.shape.step)},
        {layout::first_key, whole(settings.shape.first)},
        {layout::n_windows_key, whole(settings.n_windows)},
        {layout::vocab_size_key, whole(settings.vocab_size)},
    };
    all.insert(all.end(), settings.run.begin(), settings.run.end());
    return all;
}

std::string shown(const storage::Value& value) {
    return std::visit([](const auto& held) { return std::string(to_text(held)); }, value);
}

[[noreturn]] void refuse_part(const std::string& part, const std::string& why) {
    throw FormatError(part, "", std::nullopt,
                      why + "; remove it, or begin at the first window with --force");
}

/// Space for what is to come: a run of days is not to end for want of it.
void expect_space(const std::string& path, const std::string& part, std::uint64_t n_bytes) {
    std::error_code failure;
    const std::filesystem::path folder = std::filesystem::path(part).parent_path();
    const auto space = std::filesystem::space(folder.empty() ? "." : folder, failure);
    if (!failure && space.available < n_bytes)
        throw IoError(ExitCode::cannot_create, path,
                      fmt::format("takes {} but its disk has {} left; score fewer windows with "
                                  "--chunks N, or give another place",
                                  human_bytes(static_cast<double>(n_bytes)),
                                  human_bytes(static_cast<double>(space.available))));
}

template <class T>
void write_if(std::optional<storage::FixedColumn>& column, std::size_t window,
              const std::vector<T>& values) {
    if (column) column->write(window, std::span<const T>(values));
}

} // namespace

void WindowScores::clear() noexcept {
    for (auto* values : {&nll, &log_sum_exp, &nll_base, &kl_divergence, &p_difference})
        values->clear();
    same_best.clear();
}

Comparison WindowScores::comparison(std::size_t k) const {
    return {.nll = nll[k],
            .nll_base = nll_base[k],
            .kl = kl_divergence[k],
            .p_difference = p_difference[k],
            .same_best = same_best[k] != 0};
}

ScoreFile::ScoreFile(const std::string& path, const ScoreSettings& settings,
                     const TokenIds& windows, Contents contents, bool anew)
    : path_(path), target_(output_target(path)), part_(target_ + ".part"), settings_(settings),
      contents_(contents) {
    if (drops_output(target_)) return;
    if (!anew && std::filesystem::exists(part_))
        go_on(windows);
    else
        create(windows);
}

void ScoreFile::create(const TokenIds& windows) {
    const std::size_t n_windows = settings_.n_windows, n_scored = settings_.shape.n_scored();
    const std::uint64_t logit_bytes = contents_.logits ? std::uint64_t{n_windows} * n_scored *
                                                             settings_.vocab_size * sizeof(float)
                                                       : 0;
    expect_space(path_, part_, logit_bytes + n_windows * n_scored * 6 * sizeof(double));
    file_.emplace(part_);
    storage::Group& root = file_->root();
    for (const auto& [name, value] : attributes_of(settings_)) root.attribute(name, value);
    root.attribute("pillar_version", fmt::format("{} ({})", version(), revision()));
    storage::FixedColumn tokens = root.fixed_column<std::int32_t>(
        layout::tokens, {.long_name = "token ids of each window, as they were fed"}, n_windows,
        settings_.shape.length);
    tokens.write(0, std::span<const std::int32_t>(windows));
    tokens.finish();
    const auto scores = [&](const char* name, const char* long_name, const char* units) {
        return root.fixed_column<double>(name, {.units = units, .long_name = long_name}, n_windows,
                                         n_scored);
    };
    nll_ = scores(layout::nll, "-ln p of the token that comes next", "");
    log_sum_exp_ = scores(layout::log_sum_exp, "ln of the sum of exp(logits)", "");
    if (contents_.comparison) {
        nll_base_ = scores(layout::nll_base, "-ln p of that token by the base model", "");
        kl_ = scores(layout::kl_divergence, "KL divergence from the base model's distribution", "");
        p_difference_ = scores(layout::p_difference, "p of that token minus the base model's", "");
        same_best_ = root.fixed_column<std::uint8_t>(
            layout::same_best, {.long_name = "1: both models' most probable token is the same"},
            n_windows, n_scored);
    }
    if (contents_.logits)
        logits_ = root.fixed_column<float>(
            layout::logits, {.long_name = "logits of score k of window w: row w * n_scored + k"},
            n_windows * n_scored, settings_.vocab_size);
    done_ = root.fixed_column<std::uint64_t>(layout::n_done,
                                             {.long_name = "windows that are complete"}, 1);
    const std::uint64_t none = 0;
    done_->write(0, std::span(&none, 1));
    file_->sync();
}

void ScoreFile::go_on(const TokenIds& windows) {
    {
        const storage::Reader reader(part_);
        for (const auto& [name, value] : attributes_of(settings_)) {
            const auto found = reader.attribute("/", name);
            if (found != value)
                refuse_part(part_, fmt::format("is of another run: its {} is {}, not {}", name,
                                               found ? printable(shown(*found)) : "missing",
                                               printable(shown(value))));
        }
        const auto path_of = [](const char* name) { return fmt::format("/{}", name); };
        if (reader.column<std::int32_t>(path_of(layout::tokens)) != windows)
            refuse_part(part_, "is of another text");
        if (reader.has(path_of(layout::logits)) != contents_.logits ||
            reader.has(path_of(layout::kl_divergence)) != contents_.comparison)
            refuse_part(part_, "is of a run with other flags");
        n_done_ = reader.column<std::uint64_t>(path_of(layout::n_done)).at(0);
        if (n_done_ > settings_.n_windows) refuse_part(part_, "claims more windows than it has");
    }
    file_.emplace(storage::File::ToGoOn(), part_);
    storage::Group& root = file_->root();
    const std::size_t n_windows = settings_.n_windows, n_scored = settings_.shape.n_scored();
    const auto scores = [&](const char* name) {
        return root.open_fixed_column<double>(name, n_windows, n_scored);
    };
    nll_ = scores(layout::nll);
    log_sum_exp_ = scores(layout::log_sum_exp);
    if (contents_.comparison) {
        nll_base_ = scores(layout::nll_base);
        kl_ = scores(layout::kl_divergence);
        p_difference_ = scores(layout::p_difference);
        same_best_ = root.open_fixed_column<std::uint8_t>(layout::same_best, n_windows, n_scored);
    }
    if (contents_.logits)
        logits_ = root.open_fixed_column<float>(layout::logits, n_windows * n_scored,
                                                settings_.vocab_size);
    done_ = root.open_fixed_column<std::uint64_t>(layout::n_done, 1);
}

WindowScores ScoreFile::read(std::size_t window) const {
    const storage::Reader reader(part_);
    WindowScores scores;
    const auto fill = [&](const char* name, auto& values) {
        values.resize(settings_.shape.n_scored());
        reader.rows(fmt::format("/{}", name), window, std::span(values));
    };
    fill(layout::nll, scores.nll);
    fill(layout::log_sum_exp, scores.log_sum_exp);
    if (!contents_.comparison) return scores;
    fill(layout::nll_base, scores.nll_base);
    fill(layout::kl_divergence, scores.kl_divergence);
    fill(layout::p_difference, scores.p_difference);
    fill(layout::same_best, scores.same_best);
    return scores;
}

void ScoreFile::add_logits(std::size_t window, std::size_t k, std::span<const float> logits) {
    if (logits_) logits_->write(window * settings_.shape.n_scored() + k, logits);
}

void ScoreFile::add(const WindowScores& scores) {
    const std::size_t window = n_done_++;
    if (!file_) return;
    write_if(nll_, window, scores.nll);
    write_if(log_sum_exp_, window, scores.log_sum_exp);
    write_if(nll_base_, window, scores.nll_base);
    write_if(kl_, window, scores.kl_divergence);
    write_if(p_difference_, window, scores.p_difference);
    write_if(same_best_, window, scores.same_best);
    file_->sync(); // first what it holds, then that it does
    const std::uint64_t n_done = n_done_;
    done_->write(0, std::span(&n_done, 1));
    file_->sync();
}

void ScoreFile::commit() {
    if (!file_) return;
    for (auto* column :
         {&done_, &nll_, &log_sum_exp_, &logits_, &nll_base_, &kl_, &p_difference_, &same_best_})
        if (*column) (*column)->finish();
    file_->close();
    file_.reset();
    std::error_code failure;
    std::filesystem::rename(part_, target_, failure);
    if (failure)
        throw IoError(ExitCode::cannot_create, path_,
                      fmt::format("cannot create: {}", failure.message()));
}

} // namespace pillar::evaluate
