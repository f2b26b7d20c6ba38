#include "importance_gathering.hpp"

#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <map>
#include <numeric>

namespace pillar::evaluate {

namespace {

using Vector = forward::ActivationSums::Vector;

std::string quoted(const std::string& name) {
    return fmt::format("tensor \"{}\"", printable(name));
}

} // namespace

ImportanceGathering::ImportanceGathering(comm::Communicator& comm, const model::Model& model,
                                         forward::ActivationSums& sums, bool with_output)
    : comm_(comm), sums_(sums) {
    std::map<std::string, Tensor> by_name;
    for (const model::MatrixPlan& matrix : model.plan.matrices) {
        const forward::Input input = forward::input_of(matrix.role);
        if (input == forward::Input::final_normed && !with_output) continue;
        Tensor& tensor = by_name[matrix.tensor->name];
        tensor = {.name = matrix.tensor->name, .input = input, .layer = matrix.layer};
    }
    for (auto& [name, tensor] : by_name) {
        tensor.n_vectors = 0;
        for (const Vector& vector : sums.vectors()) {
            if (!tensor.has(vector)) continue;
            tensor.width = vector.width;
            ++tensor.n_vectors;
        }
        tensors_.push_back(tensor);
    }
    std::vector<Range> own;
    for (const Vector& vector : sums.vectors()) own.push_back(vector.own);
    owners_ = comm::gather_to_root(comm, own);
}

void ImportanceGathering::expect_fits(const importance::Matrix& matrix,
                                      const std::string& path) const {
    const auto refuse = [&](const std::string& name, const std::string& why) {
        throw FormatError(path, quoted(name), std::nullopt,
                          why + ": the file is of another model or of other flags; give another "
                                "-o, or replace it with --force");
    };
    for (const Tensor& tensor : tensors_) {
        const auto found = matrix.tensors.find(tensor.name);
        if (found == matrix.tensors.end()) refuse(tensor.name, "is missing");
        const importance::Entry& entry = found->second;
        if (entry.counts.size() != tensor.n_vectors || entry.n_columns() != tensor.width)
            refuse(tensor.name,
                   fmt::format("has {} x {} sums, the model's {} x {}", entry.counts.size(),
                               entry.n_columns(), tensor.n_vectors, tensor.width));
    }
    for (const auto& [name, entry] : matrix.tensors)
        if (std::ranges::find(tensors_, name, &Tensor::name) == tensors_.end())
            refuse(name, "is not among those that are gathered");
}

std::vector<Range> ImportanceGathering::groups() const {
    std::vector<Range> groups;
    const auto vectors = sums_.vectors();
    for (std::size_t v = 0; v < vectors.size(); ++v) {
        const bool goes_on = !groups.empty() && vectors[v].layer == vectors[v - 1].layer &&
                             vectors[v].input != forward::Input::final_normed;
        if (!goes_on) groups.push_back({v, v});
        groups.back().end = v + 1;
    }
    return groups;
}

void ImportanceGathering::scatter(const importance::Matrix& matrix) {
    const auto vectors = sums_.vectors();
    std::vector<std::uint64_t> counts(vectors.size());
    const auto take = [&](std::size_t v, std::vector<float>& whole) { // rank 0's
        for (const Tensor& tensor : tensors_) {
            if (!tensor.has(vectors[v])) continue;
            const importance::Entry& entry = matrix.tensors.at(tensor.name);
            const auto first =
                entry.sums.begin() + static_cast<std::ptrdiff_t>(vectors[v].expert * tensor.width);
            whole.insert(whole.end(), first, first + static_cast<std::ptrdiff_t>(tensor.width));
            counts[v] = entry.counts[vectors[v].expert];
            return;
        }
        whole.resize(whole.size() + vectors[v].width); // no tensor of the matrix: nothing yet
    };
    for (const Range& group : groups()) {
        std::vector<float> whole;
        for (std::size_t v = group.begin; v < group.end && comm_.is_root(); ++v) take(v, whole);
        whole = comm::broadcast_from_root(comm_, whole);
        std::size_t begin = 0;
        for (std::size_t v = group.begin; v < group.end; ++v) {
            const Range own = vectors[v].own;
            std::ranges::copy(std::span(whole).subspan(begin + own.begin, own.size()),
                              sums_.totals().begin() +
                                  static_cast<std::ptrdiff_t>(vectors[v].begin));
            begin += vectors[v].width;
        }
    }
    counts = comm::broadcast_from_root(comm_, counts);
    std::ranges::copy(counts, sums_.counts().begin());
}

void ImportanceGathering::gather(importance::Matrix& matrix) {
    const auto vectors = sums_.vectors();
    if (comm_.is_root()) {
        matrix.tensors.clear();
        for (const Tensor& tensor : tensors_)
            matrix.tensors[tensor.name] = {.sums =
                                               std::vector<float>(tensor.width * tensor.n_vectors),
                                           .counts = std::vector<std::uint64_t>(tensor.n_vectors)};
    }
    for (const Range& group : groups()) {
        const std::size_t begin = vectors[group.begin].begin;
        const std::size_t end = vectors[group.end - 1].begin + vectors[group.end - 1].own.size();
        const auto own = sums_.totals().subspan(begin, end - begin);
        const auto parts = comm::gather_to_root(comm_, std::vector<float>(own.begin(), own.end()));
        std::vector<std::size_t> places(parts.size());
        for (std::size_t v = group.begin; v < group.end; ++v) {
            for (std::size_t rank = 0; rank < parts.size(); ++rank) {
                const Range part = owners_[rank][v];
                const auto values = std::span(parts[rank]).subspan(places[rank], part.size());
                places[rank] += part.size();
                for (const Tensor& tensor : tensors_) {
                    if (!tensor.has(vectors[v])) continue;
                    importance::Entry& entry = matrix.tensors[tensor.name];
                    std::ranges::copy(values,
                                      entry.sums.begin() +
                                          static_cast<std::ptrdiff_t>(
                                              vectors[v].expert * tensor.width + part.begin));
                    entry.counts[vectors[v].expert] = sums_.counts()[v];
                }
            }
        }
    }
}

void expect_finite(const importance::Matrix& matrix) {
    for (const auto& [name, entry] : matrix.tensors)
        for (const float sum : entry.sums)
            if (!std::isfinite(sum))
                throw Error(ExitCode::bad_data,
                            fmt::format("the activations that {} is multiplied with are not all "
                                        "finite numbers; look at the weights with --check-tensors",
                                        quoted(name)));
}

} // namespace pillar::evaluate
