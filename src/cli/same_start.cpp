#include "same_start.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/program.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace pillar::cli {

namespace {

/// Fields that hold no NUL: a program's arguments cannot.
std::string encode(const std::vector<Setting>& settings) {
    std::string text = build_text();
    for (const Setting& setting : settings) {
        for (const std::string& field : {setting.key, setting.shown}) {
            text += '\0';
            text += field;
        }
    }
    return text;
}

std::vector<std::string> decode(std::string_view text) {
    std::vector<std::string> fields;
    for (;;) {
        const std::size_t end = text.find('\0');
        fields.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return fields;
        text.remove_prefix(end + 1);
    }
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
    std::string mine;
    comm::agree(*comm, [&] { mine = encode(settings); });
    std::vector<std::vector<std::string>> ranks;
    for (const std::string& text : comm->all_gather(mine)) ranks.push_back(decode(text));

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

} // namespace pillar::cli
