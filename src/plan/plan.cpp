#include "pillar/plan/plan.hpp"

#include "rows.hpp"

#include "pillar/model/tensors.hpp"
#include "pillar/session/model_file.hpp"

#include <algorithm>

namespace pillar::plan {

std::string plan_text(const PlanOptions& options) {
    const session::ModelOptions& model = options.request.model;
    const perf::MachineProfile profile =
        options.profile.empty() ? perf::MachineProfile() : perf::read_profile(options.profile);
    PlanTable table;
    const gguf::File file = session::open_model_file(model);
    model::check_tensors(file, model::read_hyperparameters(file));
    table.model = session::model_name(model);
    table.profile = profile.name;
    table.decode_w = profile.power.decode_w;
    for (const std::size_t n_ranks : options.ranks)
        table.rows.push_back(plan_row(file, profile, options.request, static_cast<int>(n_ranks)));
    table.base =
        base_row(file, profile, options.request, static_cast<int>(std::ranges::max(options.ranks)));
    table.slow = model::slow_formats(file);
    table.request = resolved(file, options.request);
    return render(table, options.format);
}

} // namespace pillar::plan
