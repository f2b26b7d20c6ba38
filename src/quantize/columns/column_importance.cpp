#include "columns/column_importance.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <numeric>

namespace pillar::quantize {

namespace {

/// Added to columns that were never used: their weights would not be looked at at all, and blocks
/// of such columns have no best scale.
constexpr float least = 1e-5f;

/// Means of one matrix become multiples of their mean, so that no sum of the encoders runs out of
/// f32's range. All zero: nothing is known, all alike.
void scale_to_one(std::span<float> means) {
    const double sum = std::accumulate(means.begin(), means.end(), 0.0);
    const auto mean = static_cast<float>(sum / static_cast<double>(means.size()));
    if (!(mean > 0.0f)) {
        std::ranges::fill(means, 1.0f);
        return;
    }
    for (float& value : means) value = value / mean + least;
}

} // namespace

ColumnImportance::ColumnImportance(const std::string& path, const gguf::File& model) {
    importance::Matrix matrix = importance::read(path);
    datasets_ = std::move(matrix.datasets);
    chunk_count_ = matrix.chunk_count;
    for (const auto& [name, entry] : matrix.tensors) {
        const auto refuse = [&](const std::string& why) {
            return FormatError(path, fmt::format("\"{}\"", printable(name)), std::nullopt,
                               fmt::format("{}; the importance matrix is of another model than {}",
                                           why, printable(model.path())));
        };
        const gguf::TensorInfo* tensor = model.find_tensor(name);
        if (tensor == nullptr) throw refuse("there is no such tensor");
        const std::uint64_t n_columns = tensor->n_columns();
        const std::uint64_t n_matrices = tensor->shape.size() > 2 ? tensor->shape[2] : 1;
        if (entry.sums.size() != n_columns * n_matrices)
            throw refuse(fmt::format("has {} values for {} columns", entry.sums.size(),
                                     n_columns * n_matrices));
        std::vector<float> means = importance::mean_squares(entry);
        for (std::size_t i = 0; i < means.size(); i += n_columns)
            scale_to_one(std::span(means).subspan(i, n_columns));
        columns_.emplace(name, std::move(means));
    }
}

std::span<const float> ColumnImportance::of(std::string_view tensor) const {
    const auto place = columns_.find(tensor);
    return place == columns_.end() ? std::span<const float>() : place->second;
}

} // namespace pillar::quantize
