#include "scores/base_file.hpp"

#include "scores/score_layout.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::evaluate {

namespace {

std::string dataset(const char* name) {
    return fmt::format("/{}", name);
}

/// A whole number of the file, at least `lowest`.
std::size_t number_of(const storage::Reader& reader, const std::string& path, const char* key,
                      std::int64_t lowest) {
    const auto value = reader.attribute("/", key);
    const auto* number = value ? std::get_if<std::int64_t>(&*value) : nullptr;
    if (number == nullptr || *number < lowest)
        throw FormatError(path, key, std::nullopt,
                          "is missing or out of range: this is no file of --save-logits");
    return static_cast<std::size_t>(*number);
}

std::string words_of(const WindowShape& shape) {
    if (shape.step == shape.length) return fmt::format("-c {}", shape.length);
    return fmt::format("-c {} --ppl-stride {}", shape.length - shape.step / 2, shape.step);
}

} // namespace

BaseFile::BaseFile(const std::string& path, const WindowShape& shape)
    : path_(path), reader_(path), shape_(shape) {
    const auto kind = reader_.attribute("/", layout::kind_key);
    if (kind != storage::Value(std::string(layout::kind)))
        throw FormatError(path, layout::kind_key, std::nullopt,
                          "is missing or another: this is no file of `perplexity --save-logits`");
    const auto version = reader_.attribute("/", layout::version_key);
    if (version != storage::Value(layout::version))
        throw FormatError(path, layout::version_key, std::nullopt,
                          "is not 1: this program does not know the file's layout");
    const WindowShape theirs = {.length = number_of(reader_, path, layout::length_key, 2),
                                .step = number_of(reader_, path, layout::step_key, 1),
                                .first = number_of(reader_, path, layout::first_key, 0)};
    if (theirs != shape)
        throw FormatError(path, "", std::nullopt,
                          fmt::format("was made with {}, not {}: give the same", words_of(theirs),
                                      words_of(shape)));
    n_windows_ = number_of(reader_, path, layout::n_windows_key, 1);
    vocab_size_ = number_of(reader_, path, layout::vocab_size_key, 1);
    if (!reader_.has(dataset(layout::logits)))
        throw FormatError(path, layout::logits, std::nullopt,
                          "is missing: make the file with --save-logits");
    const auto expect_shape = [&](const char* name, std::size_t n_rows, std::size_t width) {
        if (reader_.shape(dataset(name)) != std::vector<std::size_t>{n_rows, width})
            throw FormatError(path, name, std::nullopt, "is of another shape than the file tells");
    };
    expect_shape(layout::tokens, n_windows_, shape.length);
    expect_shape(layout::log_sum_exp, n_windows_, shape.n_scored());
    expect_shape(layout::logits, n_windows_ * shape.n_scored(), vocab_size_);
    const auto done = reader_.column<std::uint64_t>(dataset(layout::n_done));
    if (done.size() != 1 || done[0] != n_windows_)
        throw FormatError(path, layout::n_done, std::nullopt,
                          fmt::format("tells that not all {} are complete: let the run that makes "
                                      "it end",
                                      counted(n_windows_, "window")));
}

std::string BaseFile::model_hash() const {
    const auto value = reader_.attribute("/", "model_hash");
    const auto* text = value ? std::get_if<std::string>(&*value) : nullptr;
    return text == nullptr ? "" : *text;
}

TokenIds BaseFile::windows() const {
    return reader_.column<std::int32_t>(dataset(layout::tokens));
}

void BaseFile::expect_same(const TokenIds& windows) const {
    const TokenIds theirs = this->windows();
    const std::size_t n = std::min(theirs.size(), windows.size());
    const auto [mine, other] = std::mismatch(
        windows.begin(), windows.begin() + static_cast<std::ptrdiff_t>(n), theirs.begin());
    if (other - theirs.begin() == static_cast<std::ptrdiff_t>(n)) return;
    const auto at = static_cast<std::size_t>(other - theirs.begin());
    throw FormatError(path_, layout::tokens, std::nullopt,
                      fmt::format("is another text: token {} of window {} is {} there and {} here; "
                                  "compare on the text that the file was made of, or without -f",
                                  at % shape_.length, at / shape_.length + 1, *other, *mine));
}

void BaseFile::read_log_sums(std::size_t window, std::span<double> values) const {
    reader_.rows(dataset(layout::log_sum_exp), window, values);
}

void BaseFile::read_logits(std::size_t window, std::size_t k, std::span<float> values) const {
    reader_.rows(dataset(layout::logits), window * shape_.n_scored() + k, values);
}

} // namespace pillar::evaluate
