// What a vocabulary may and may not be: every fault is a FormatError that names its key, what is
// odd but harmless is taken with a warning.

#include "vocabularies.hpp"

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/tokenizer/tokenizer.hpp"
#include "support/malformed/malformed.hpp"

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

TEST(VocabularyFaults, SpecialIdsThatAreNoneAreAsIfTheKeyWereMissing) {
    const auto spm = small("small-spm");
    const auto n = static_cast<std::uint32_t>(spm.strings(prefix + "tokens")->size());
    const auto bpe = small("small-bpe");
    for (const char* key : {"bos_token_id", "eos_token_id", "unknown_token_id", "eot_token_id"})
        for (const std::uint32_t id : {n, std::uint32_t{UINT32_MAX}}) {
            SCOPED_TRACE(fmt::format("{} {}", key, id));
            const auto changed = with(spm, prefix + key, number(id));
            const Outcome outcome = load(changed);
            EXPECT_EQ(outcome.error, "");
            EXPECT_EQ(outcome.log.find(key) != std::string::npos, id == n) << outcome.log;
            const Tokenizer tokenizer(changed), absent(without(spm, prefix + key));
            EXPECT_EQ(tokenizer.vocabulary().bos, absent.vocabulary().bos);
            EXPECT_EQ(tokenizer.vocabulary().eos, absent.vocabulary().eos);
            EXPECT_EQ(tokenizer.vocabulary().eot, absent.vocabulary().eot);
            EXPECT_EQ(tokenizer.vocabulary().unk, absent.vocabulary().unk);
            EXPECT_EQ(tokenizer.encode("a b"), absent.encode("a b"));
            EXPECT_EQ(load(with(bpe, prefix + key, number(id))).error, "");
        }
    EXPECT_THAT(load(with(spm, prefix + "bos_token_id", number(n))).log, HasSubstr("1 is used"));
}

TEST(VocabularyFaults, ABosThatIsAskedForByAnIdThatIsNoneIsNotAdded) {
    const auto two = with(with(without(small("small-bpe"), prefix + "token_type"),
                               prefix + "tokens", texts({"a", "b"})),
                          prefix + "eos_token_id", number(1));
    const auto asked = with(two, prefix + "add_bos_token", boolean(true));
    const auto none = with(asked, prefix + "bos_token_id", number(99));
    EXPECT_EQ(load(none).error, "");
    EXPECT_THAT(load(none).log, HasSubstr("add_bos_token is true, but the vocabulary has no BOS"));
    EXPECT_EQ(Tokenizer(none).encode("a"), (std::vector<TokenId>{0}));
}

TEST(VocabularyFaults, UndefinedPiecesAreNormalOnes) {
    const auto spm = small("small-spm");
    auto types = *spm.integers(prefix + "token_type");
    std::vector<std::int32_t> undefined(types.begin(), types.end());
    for (std::int32_t& type : undefined) type = type == 1 ? 0 : type;
    const auto changed = with(spm, prefix + "token_type", integers(undefined));
    EXPECT_EQ(load(changed).log, "");
    EXPECT_EQ(Tokenizer(changed).vocabulary().types, Tokenizer(spm).vocabulary().types);
}

/// What encoding says on stderr.
std::string said(const gguf::Metadata& metadata, const std::string& text,
                 const EncodeOptions& options = {}) {
    const Tokenizer tokenizer(metadata);
    testing::internal::CaptureStderr();
    (void)tokenizer.encode(text, options);
    return testing::internal::GetCapturedStderr();
}

TEST(VocabularyFaults, ATextWithTheBosOrEosThatIsAddedIsToldOf) {
    const auto spm = small("small-spm");
    EXPECT_THAT(said(spm, "<s> Hello"), HasSubstr("begins with \"<s>\""));
    EXPECT_EQ(said(spm, "Hello <s>"), "");
    EXPECT_EQ(said(spm, ""), "");
    EXPECT_EQ(said(spm, "<s> Hello", {.add_special = false}), "");
    EXPECT_EQ(said(spm, "<s> Hello", {.parse_special = false}), "");
    EXPECT_EQ(said(with(spm, prefix + "add_bos_token", boolean(false)), "<s> Hello"), "");
    const auto both = with(spm, prefix + "add_eos_token", boolean(true));
    EXPECT_THAT(said(both, "Hello</s>"), HasSubstr("ends with \"</s>\""));
    const auto one = with(both, prefix + "eos_token_id", number(1));
    EXPECT_EQ(said(one, ""), ""); // the same token at both ends, both added
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
