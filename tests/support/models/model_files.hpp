#pragma once
// Tiny models and one-rank transformers for the tests of model and engine.

#include "pillar/comm/communicator.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/model/architecture.hpp"
#include "support/models/tiny_model.hpp"
#include "support/ranks/dry_run.hpp"
#include "support/temporary_directory.hpp"

#include <memory>
#include <string>

namespace pillar::support {

/// A model file that lives as long as this does.
class ModelFile {
  public:
    explicit ModelFile(const TinyModel& options) : ModelFile(build_tiny_model(options)) {}
    /// A model changed in some way, of one of the `known` architectures.
    explicit ModelFile(const GgufBuilder& builder,
                       std::span<const model::Architecture* const> known = model::architectures())
        : path_(directory_.file("tiny.gguf")) {
        write_file(path_, builder.bytes());
        file_ = std::make_unique<gguf::File>(path_);
        h_ = model::read_hyperparameters(*file_, known);
    }
    [[nodiscard]] const gguf::File& file() const { return *file_; }
    [[nodiscard]] const model::Hyperparameters& h() const { return h_; }

  private:
    TemporaryDirectory directory_;
    std::string path_;
    std::unique_ptr<gguf::File> file_;
    model::Hyperparameters h_;
};

/// Bytes of all matrices in the file, each counted once.
inline std::uint64_t matrix_bytes(const gguf::File& file) {
    std::uint64_t n = 0;
    for (const gguf::TensorInfo& tensor : file.tensors())
        if (tensor.shape.size() >= 2) n += tensor.size_bytes;
    return n;
}

/// The whole model on one rank; or rank 0 of several, whose sums nobody adds to.
class OneRank {
  public:
    OneRank(const ModelFile& model, const forward::TransformerOptions& options, int n_threads = 1,
            std::string_view family = "integer", int n_ranks = 1)
        : comm_(support::make_dry_run(0, n_ranks, comm::Algorithm::direct, comm::Wire::f32)),
          team_(n_threads),
          model_(model.file(), model.h(), partition::even_share(model.h().sizes(), 0, n_ranks),
                 *kernels::find_family(family), team_, false, [](std::uint64_t) {}),
          transformer_(model_, options, team_) {}
    [[nodiscard]] comm::Communicator& comm() { return *comm_; }
    [[nodiscard]] const model::Model& model() const { return model_; }
    [[nodiscard]] forward::Transformer& transformer() { return transformer_; }
    [[nodiscard]] threads::Team& team() { return team_; }

  private:
    std::unique_ptr<comm::Communicator> comm_;
    threads::Team team_;
    model::Model model_;
    forward::Transformer transformer_;
};

} // namespace pillar::support
