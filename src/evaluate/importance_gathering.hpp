#pragma once
// The ranks' sums of activations as one importance matrix on rank 0, and back.

#include "pillar/comm/communicator.hpp"
#include "pillar/forward/activation_sums.hpp"
#include "pillar/importance/importance.hpp"
#include "pillar/model/model.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace pillar::evaluate {

class ImportanceGathering {
  public:
    /// Collective. `sums` is not owned. The output matrix is one of the tensors where
    /// `with_output`.
    ImportanceGathering(comm::Communicator& comm, const model::Model& model,
                        forward::ActivationSums& sums, bool with_output);

    /// Rank 0 only. Throws FormatError where `matrix`, of the file `path`, is not of this model.
    void expect_fits(const importance::Matrix& matrix, const std::string& path) const;
    /// Collective. Rank 0's `matrix` fits: every rank goes on from its sums and counts.
    void scatter(const importance::Matrix& matrix);
    /// Collective. Rank 0's `matrix` gets the sums and counts of all tensors. A layer at a time.
    void gather(importance::Matrix& matrix);

  private:
    /// A weight matrix, or those of a layer's experts, and what it is multiplied with.
    struct Tensor {
        std::string name;
        forward::Input input{};
        std::size_t layer = 0;
        std::size_t n_vectors = 1; ///< experts
        std::size_t width = 0;
        [[nodiscard]] bool has(const forward::ActivationSums::Vector& vector) const noexcept {
            return vector.input == input && vector.layer == layer;
        }
    };
    /// Vectors [begin, end) that are sent together.
    [[nodiscard]] std::vector<Range> groups() const;

    comm::Communicator& comm_;
    forward::ActivationSums& sums_;
    std::vector<Tensor> tensors_;            ///< by name
    std::vector<std::vector<Range>> owners_; ///< rank 0's: of each rank, its part of every vector
};

/// Throws Error(bad_data) that names the first tensor whose sums are not all finite.
void expect_finite(const importance::Matrix& matrix);

} // namespace pillar::evaluate
