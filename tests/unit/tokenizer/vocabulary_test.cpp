// What a vocabulary may and may not be: every fault is a FormatError that names its key, what is
// odd but harmless is taken with a warning.

#include "vocabularies.hpp"

#include "pillar/gguf/file.hpp"
#include "pillar/tokenizer/tokenizer.hpp"
#include "support/malformed.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace pillar::tokenizer {
namespace {

using namespace test;
using testing::HasSubstr;

struct Outcome {
    std::string error; ///< empty: accepted
    std::string field; ///< of a refusal
    std::string log;
};

Outcome load(const gguf::Metadata& metadata) {
    Outcome outcome;
    testing::internal::CaptureStderr();
    try {
        const Tokenizer tokenizer(metadata);
        (void)tokenizer.encode("Hello, wörld 123\n\x80 </s>");
    } catch (const FormatError& error) {
        outcome.error = error.what();
        outcome.field = error.field;
    }
    outcome.log = testing::internal::GetCapturedStderr();
    return outcome;
}

const std::string prefix = "tokenizer.ggml.";

void expect_refusal(const gguf::Metadata& metadata, const std::string& key,
                    const std::string& part) {
    const Outcome outcome = load(metadata);
    EXPECT_EQ(outcome.field, prefix + key);
    EXPECT_THAT(outcome.error, HasSubstr(part));
}

TEST(VocabularyFaults, EveryMalformedFileOfThisRoomGetsItsVerdict) {
    int n_cases = 0;
    for (const auto& entry : support::malformed_cases()) {
        if (entry.owner != support::Owner::tokenizer) continue;
        SCOPED_TRACE(entry.name);
        ++n_cases;
        const std::string bytes = entry.bytes();
        const auto directory =
            gguf::parse(std::as_bytes(std::span(bytes)), bytes.size(), entry.name);
        const Outcome outcome = load(directory.metadata);
        if (entry.verdict == support::Verdict::refuse) {
            EXPECT_NE(outcome.error, "");
            EXPECT_TRUE(support::names_field(outcome.error, entry.field)) << outcome.error;
        } else {
            EXPECT_EQ(outcome.error, "");
            EXPECT_EQ(outcome.log.empty(), entry.verdict == support::Verdict::accept)
                << outcome.log;
        }
    }
    EXPECT_GE(n_cases, 20);
}

TEST(VocabularyFaults, AnUnknownModelOrPreTokenizerIsNamed) {
    expect_refusal(without(small("small-spm"), prefix + "model"), "model", "no tokenizer");
    expect_refusal(with(small("small-spm"), prefix + "model", text("bert")), "model", "\"bert\"");
    expect_refusal(small("small-bpe", "qwen99"), "pre", "\"qwen99\"");
    expect_refusal(small("small-bpe", "qwen99"), "pre", "llama-bpe, llama-v3, llama3");
    expect_refusal(with(small("small-bpe"), prefix + "pre", number(3)), "pre", "string");
}

TEST(VocabularyFaults, AMissingPreTokenizerIsTheDefaultWithAWarning) {
    const Outcome outcome = load(without(small("small-bpe"), prefix + "pre"));
    EXPECT_EQ(outcome.error, "");
    EXPECT_THAT(outcome.log, HasSubstr("tokenizer.ggml.pre is missing"));
    EXPECT_EQ(load(small("small-bpe")).log, "");
}

TEST(VocabularyFaults, ScoresAndTypesAreOneAPiece) {
    const auto spm = small("small-spm");
    const std::size_t n = spm.strings(prefix + "tokens")->size();
    expect_refusal(with(spm, prefix + "scores", floats(std::vector<float>(n + 1))), "scores",
                   fmt::format("{} values for {} pieces", n + 1, n));
    expect_refusal(with(spm, prefix + "token_type", integers({1, 1})), "token_type", "2 values");
    std::vector<float> scores(n);
    scores[5] = std::numeric_limits<float>::quiet_NaN();
    expect_refusal(with(spm, prefix + "scores", floats(scores)), "scores", "piece 5");
    scores[5] = -std::numeric_limits<float>::infinity();
    EXPECT_EQ(load(with(spm, prefix + "scores", floats(scores))).error, "");
    EXPECT_EQ(load(with(spm, prefix + "scores", integers(std::vector<std::int32_t>(n)))).error, "");
    EXPECT_THAT(load(without(spm, prefix + "scores")).log, HasSubstr("scores is missing"));
    EXPECT_EQ(load(without(spm, prefix + "token_type")).error, "");
}

TEST(VocabularyFaults, MergesAreNeededAndAreTwoPieces) {
    const auto bpe = small("small-bpe");
    expect_refusal(without(bpe, prefix + "merges"), "merges", "missing");
    for (const char* merge : {"", " ", "ab", " ab"})
        expect_refusal(with(bpe, prefix + "merges", texts({"a b", merge})), "merges", "merge 1");
    EXPECT_EQ(load(with(bpe, prefix + "merges", texts({"a ", "  b", "a b c"}))).error, "");
    EXPECT_EQ(load(without(small("small-bpe", "kimi-k2"), prefix + "merges")).error, "");
}

TEST(VocabularyFaults, BosAndEosThatAreAskedForMustBeThere) {
    const auto one = with(with(without(small("small-bpe"), prefix + "bos_token_id"),
                               prefix + "tokens", texts({"a", "b"})),
                          prefix + "eos_token_id", number(1));
    const auto tiny = without(one, prefix + "token_type");
    EXPECT_EQ(load(tiny).error, ""); // the default, 11, is beyond the vocabulary: no BOS
    expect_refusal(with(tiny, prefix + "add_bos_token", boolean(true)), "add_bos_token", "no BOS");
    EXPECT_EQ(load(with(tiny, prefix + "add_bos_token", boolean(false))).error, "");
    expect_refusal(with(tiny, prefix + "add_bos_token", number(1)), "add_bos_token", "bool");
}

TEST(VocabularyFaults, WithoutByteTokensAnUnknownTokenIsNeeded) {
    const auto letters =
        with(without(without(small("small-spm"), prefix + "scores"), prefix + "token_type"),
             prefix + "tokens", texts({"<unk>", "<s>", "</s>", "a"}));
    const Tokenizer tokenizer(letters);
    EXPECT_EQ(tokenizer.encode("aé", {false, false}), (std::vector<TokenId>{0, 3, 0}));
    expect_refusal(with(letters, prefix + "tokens", texts({})), "tokens", "no vocabulary");
}

TEST(VocabularyFaults, OptionalIdsBeyondTheVocabularyAreAbsent) {
    const auto n =
        static_cast<std::uint32_t>(small("small-spm").strings(prefix + "tokens")->size());
    auto metadata = with(small("small-spm"), prefix + "padding_token_id", number(n));
    EXPECT_THAT(load(metadata).log, HasSubstr(fmt::format("padding_token_id is {}", n)));
    EXPECT_EQ(Tokenizer(metadata).vocabulary().pad, std::nullopt);
    metadata = with(small("small-spm"), prefix + "padding_token_id", number(UINT32_MAX));
    EXPECT_EQ(load(metadata).log, ""); // -1: none
    metadata = with(small("small-spm"), prefix + "fim_pad_token_id", number(n));
    EXPECT_THAT(load(metadata).log, HasSubstr("fim_pad_token_id"));
}

TEST(VocabularyFaults, AsManyPiecesAsTheLimitAndNotOneMore) {
    std::vector<std::string> pieces;
    for (int i = 0; i < 1 << 20; ++i) pieces.push_back(std::to_string(i));
    auto metadata =
        with(without(without(small("small-spm"), prefix + "scores"), prefix + "token_type"),
             prefix + "tokens", texts(pieces));
    EXPECT_EQ(load(metadata).error, "");
    pieces.emplace_back("one more");
    expect_refusal(with(metadata, prefix + "tokens", texts(pieces)), "tokens", "1048577 pieces");
}

} // namespace
} // namespace pillar::tokenizer
