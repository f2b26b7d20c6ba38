// What report says of traces of format version 1 is what it said when they were current.

#include "pillar/report/render.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pillar::report {
namespace {

/// Of `now` what `then` has too: reports have grown.
nlohmann::json as_then(const nlohmann::json& now, const nlohmann::json& then) {
    nlohmann::json same = now;
    if (now.is_object() && then.is_object()) {
        for (const auto& [key, value] : now.items()) {
            if (then.contains(key))
                same[key] = as_then(value, then[key]);
            else
                same.erase(key);
        }
    } else if (now.is_array() && then.is_array() && now.size() == then.size()) {
        for (std::size_t i = 0; i < now.size(); ++i) same[i] = as_then(now[i], then[i]);
    }
    return same;
}

TEST(Version1, IsReportedAndPredictedAsBefore) {
    const perf::MachineProfile profile = perf::read_profile(PILLAR_PROFILE);
    const std::string folder = PILLAR_TEST_DATA "/trace/";
    const std::vector<std::string> paths{folder + "version_1.h5", folder + "version_1_even.h5"};
    std::string text = report(paths, tables::Format::json, &profile);
    for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder))
        text.erase(at, folder.size());
    std::ifstream file(folder + "version_1.json");
    const auto expected = nlohmann::json::parse(file);
    EXPECT_EQ(as_then(nlohmann::json::parse(text), expected), expected);
}

} // namespace
} // namespace pillar::report
