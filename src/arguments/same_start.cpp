#include "same_start.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/program.hpp"

#include <algorithm>
#include <string>

namespace pillar::arguments {

namespace {

/// The program first, then what is compared and what is shown of each setting.
std::vector<std::string> fields_of(const std::vector<Setting>& settings) {
    std::vector<std::string> fields{build_text()};
    for (const Setting& setting : settings) {
        fields.push_back(setting.key);
        fields.push_back(setting.shown);
    }
    return fields;
}

/// One field of every rank; "" of a rank that has fewer, as another program may.
std::vector<std::string> column(const std::vector<std::vector<std::string>>& ranks,
                                std::size_t field) {
    std::vector<std::string> values;
    for (const auto& fields : ranks)
        values.push_back(field < fields.size() ? fields[field] : std::string());
    return values;
}

bool are_equal(const std::vector<std::string>& values) {
    return std::ranges::all_of(values, [&](const std::string& v) { return v == values.front(); });
}

} // namespace

void expect_same_start(comm::Environment& environment, const std::vector<Setting>& settings,
                       double timeout_s) {
    const auto comm = environment.world(comm::Algorithm::recursive_doubling, comm::Wire::f32, {},
                                        {.step_s = timeout_s});
    log::set_identity(comm->rank(), comm->host(comm->rank()));
    std::vector<std::string> mine;
    comm::agree(*comm, [&] { mine = fields_of(settings); });
    const std::vector<std::vector<std::string>> ranks = comm::all_gather(*comm, mine);

    const std::vector<std::string> programs = column(ranks, 0);
    if (!are_equal(programs)) {
        const std::vector<std::string> subcommands = column(ranks, 1);
        if (are_equal(subcommands) && subcommands.front() == "check") return;
        comm::expect_same_among(*comm, "the pillar program", programs);
    }
    for (std::size_t i = 0; i < settings.size(); ++i) {
        if (are_equal(column(ranks, 1 + 2 * i))) continue;
        comm::expect_same_among(*comm, settings[i].name, column(ranks, 2 + 2 * i));
    }
}

} // namespace pillar::arguments
