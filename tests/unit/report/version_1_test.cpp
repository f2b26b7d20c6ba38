// What report says of traces of format version 1 is what it said when they were current.

#include "pillar/report/render.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pillar::report {
namespace {

TEST(Version1, IsReportedAndPredictedAsBefore) {
    const perf::MachineProfile profile = perf::read_profile(PILLAR_PROFILE);
    const std::string folder = PILLAR_TEST_DATA "/trace/";
    const std::vector<std::string> paths{folder + "version_1.h5", folder + "version_1_even.h5"};
    std::string text = report(paths, tables::Format::json, &profile);
    for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder))
        text.erase(at, folder.size());
    std::ifstream expected(folder + "version_1.json");
    EXPECT_EQ(nlohmann::json::parse(text), nlohmann::json::parse(expected));
}

} // namespace
} // namespace pillar::report
