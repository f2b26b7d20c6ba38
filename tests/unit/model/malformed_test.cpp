// Malformed files whose fault lies in hyperparameters or tensors: the verdict of the list in
// tests/support/malformed.

#include "pillar/core/errors.hpp"
#include "pillar/kernels/family.hpp"
#include "pillar/model/tensors.hpp"
#include "pillar/model/weights.hpp"
#include "support/malformed/malformed.hpp"
#include "support/models/tiny_model.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace pillar::model {
namespace {

/// The sentence that refuses the file, or nothing.
std::string refusal(const std::string& path, bool check) {
    try {
        const gguf::File file(path);
        const Hyperparameters h = read_hyperparameters(file);
        check_tensors(file, h);
        const auto share = partition::even_share(h.sizes(), 0, 1);
        const auto& family = *kernels::find_family("integer");
        const WeightPlan plan = plan_weights(file, h, share, family);
        threads::Team team(1);
        LoadBytes bytes;
        load_weights(
            file, h, family, plan, team, check, [](std::uint64_t) {}, bytes);
        return {};
    } catch (const FormatError& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
        return error.what();
    }
}

TEST(malformed_models, get_their_verdict) {
    const support::TemporaryDirectory directory;
    const std::string path = directory.file("model.gguf");
    int n_seen = 0;
    for (const support::MalformedCase& c : support::malformed_cases()) {
        if (c.owner != support::Owner::model) continue;
        ++n_seen;
        support::write_file(path, c.bytes());
        const bool checked = c.verdict == support::Verdict::refuse_when_checked;
        const std::string sentence = refusal(path, checked);
        const bool refuses = checked || c.verdict == support::Verdict::refuse;
        EXPECT_EQ(!sentence.empty(), refuses) << c.name << ": " << c.claim << "\n" << sentence;
        if (refuses) {
            EXPECT_TRUE(support::names_field(sentence, c.field)) << c.name << ": " << sentence;
            EXPECT_EQ(sentence.find('\n'), std::string::npos);
        }
        if (checked) {
            EXPECT_EQ(refusal(path, false), "") << c.name;
        }
    }
    EXPECT_GE(n_seen, 20);
}

} // namespace
} // namespace pillar::model
