#include "pillar/model/model.hpp"

namespace pillar::model {

namespace {

std::vector<RopeTable> rope_tables(const Hyperparameters& h, std::span<const float> factors) {
    std::vector<RopeTable> tables;
    for (const Rope& rope : h.ropes) // the file's factors are those of the shared keys' table
        tables.emplace_back(rope, tables.empty() ? factors : std::span<const float>());
    return tables;
}

} // namespace

Model::Model(const gguf::File& model_file, const Hyperparameters& hyperparameters,
             const partition::Share& own_share, const kernels::Family& kernel_family,
             threads::Team& team, bool check, LoadProgress progress)
    : file(model_file), h(hyperparameters), share(own_share), family(kernel_family),
      plan(plan_weights(file, h, share, family)),
      weights(load_weights(file, h, family, plan, team, check, progress, load_bytes)),
      rope(rope_tables(h, weights.rope_factors)) {}

} // namespace pillar::model
