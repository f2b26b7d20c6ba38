// Traces of format version 1, as the pillar wrote them that had it.

#include "pillar/core/errors.hpp"
#include "pillar/storage/writer.hpp"
#include "pillar/trace/reader.hpp"
#include "support/column_of.hpp"
#include "support/temporary_directory.hpp"
#include "version_1.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::trace {
namespace {

using support::column_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string uneven = PILLAR_TEST_DATA "/trace/version_1.h5";
const std::string even = PILLAR_TEST_DATA "/trace/version_1_even.h5";

TEST(Version1, HasTheRanksSharesFromItsTexts) {
    const Trace trace = read_trace(uneven);
    EXPECT_THAT(trace.split_shares(), ElementsAre(0.198, 0.802));
    EXPECT_EQ(trace.hosts[0].share.split_bytes_per_s, 8390338591.744417);
    EXPECT_EQ(trace.hosts[1].share.split_bytes_per_s, 33888306390.95163);
    EXPECT_EQ(trace.hosts[0].share.layer_bytes, 12672);
    EXPECT_EQ(trace.hosts[1].share.heads_bytes, 12672);
    EXPECT_EQ(trace.hosts[1].share.output_bytes, 11088);
    EXPECT_EQ(trace.hosts[0].share.layer_macs, 20480);
    EXPECT_EQ(trace.hosts[1].share.output_macs, 19712);
    EXPECT_EQ(trace.hosts[0].share.kv_bytes, 128);
    EXPECT_EQ(trace.hosts[1].share.n_heads, 3);
    EXPECT_THAT(read_configuration(uneven).split_shares(), ElementsAre(0.198, 0.802));
}

TEST(Version1, SaysWhereASplitWasEvenAndNothingWasMeasured) {
    const Trace trace = read_trace(even);
    EXPECT_THAT(trace.split_shares(), IsEmpty());
    EXPECT_TRUE(std::isnan(trace.hosts[0].share.split_bytes_per_s));
    EXPECT_EQ(trace.hosts[1].share.layer_bytes, 27648);
}

TEST(Version1, HasTheOtherOptionsAndStepsAsTheyWere) {
    const Trace trace = read_trace(uneven);
    EXPECT_THAT(trace.unknown_keys, IsEmpty());
    EXPECT_EQ(trace.config.text<"split">(), "auto");
    EXPECT_EQ(trace.config.get<"allreduce_border_bytes">(), 808);
    EXPECT_THAT(column_of(trace.steps, &StepRow::n_rows), ElementsAre(10, 1, 1, 1, 1, 1));
    EXPECT_THAT(column_of(trace.steps, &StepRow::request_bytes),
                ElementsAre(192, 48, 48, 48, 48, 48));
    EXPECT_THAT(column_of(trace.steps, &StepRow::reply_bytes),
                ElementsAre(520, 520, 520, 520, 520, 520));
    EXPECT_EQ(trace.steps[0].phase, Phase::prefill);
    EXPECT_EQ(trace.steps[5].phase, Phase::decode);
}

TEST(Version1, WithATextThatIsNoListIsRefused) {
    for (const char* text :
         {"", "0.3", "0.3,", ",0.3", "0.3,0.7,1", "0.3 0.7", "0.3,x", "evenly"}) {
        std::vector<storage::NamedValue> config{{"split_shares", std::string(text)}};
        std::vector<RankShare> shares(2);
        try {
            take_shares_of_version_1("a.h5", config, shares);
            ADD_FAILURE() << text;
        } catch (const FormatError& error) {
            EXPECT_THAT(error.what(), AllOf(HasSubstr("a.h5"), HasSubstr("/config split_shares"),
                                            HasSubstr("no list of one number a rank")));
        }
    }
    for (const char* text : {"7", "7e2,8", "-1,8", "99999999999999999999,1"}) {
        std::vector<storage::NamedValue> config{{"rank_kv_bytes", std::string(text)}};
        std::vector<RankShare> shares(2);
        EXPECT_THROW(take_shares_of_version_1("a.h5", config, shares), FormatError) << text;
    }
}

TEST(Version1, OfAPillarThatDidNotRecordSharesHasNone) {
    std::vector<storage::NamedValue> config{{"model", std::string("tiny")}};
    std::vector<RankShare> shares(2);
    take_shares_of_version_1("a.h5", config, shares);
    EXPECT_EQ(config.size(), 1);
    EXPECT_EQ(shares[1].layer_bytes, 0);
}

} // namespace
} // namespace pillar::trace
