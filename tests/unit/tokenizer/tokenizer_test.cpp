// What the metadata say about the ends of a text, special tokens in it, and the ends of an answer.

#include "vocabularies.hpp"

#include "pillar/gguf/value.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace pillar::tokenizer {
namespace {

using namespace test;
using Ids = std::vector<TokenId>;

const std::string prefix = "tokenizer.ggml.";

TokenId id_of(const Tokenizer& tokenizer, std::string_view piece) {
    const auto& pieces = tokenizer.vocabulary().pieces;
    const auto place = std::ranges::find(pieces, piece);
    EXPECT_NE(place, pieces.end()) << piece;
    return static_cast<TokenId>(place - pieces.begin());
}

/// Names of the pieces that end an answer.
std::vector<std::string> ends(const Tokenizer& tokenizer) {
    std::vector<std::string> names;
    for (std::size_t id = 0; id < tokenizer.vocabulary().size(); ++id)
        if (tokenizer.ends_generation(static_cast<TokenId>(id)))
            names.push_back(tokenizer.vocabulary().pieces[id]);
    return names;
}

/// A byte-level vocabulary of `pieces` behind the 256 bytes, all of type `type`.
gguf::Metadata named(const std::vector<std::string>& pieces, std::int32_t type) {
    const auto bpe = small("small-bpe");
    auto all = *bpe.strings(prefix + "tokens");
    all.resize(256);
    std::vector<std::int32_t> types(256, 1);
    all.insert(all.end(), pieces.begin(), pieces.end());
    types.resize(all.size(), type);
    auto metadata = with(bpe, prefix + "tokens", texts(all));
    metadata = with(metadata, prefix + "token_type", integers(types));
    metadata = with(metadata, prefix + "bos_token_id", number(0));
    return with(metadata, prefix + "eos_token_id", number(0));
}

TEST(Tokenizer, AddsBosAndEosAsTheMetadataSayOrTheKindDoes) {
    const Tokenizer spm(small("small-spm"));
    EXPECT_EQ(spm.encode("").front(), 1);
    EXPECT_EQ(spm.encode("", {.add_special = false}), Ids{});
    const Tokenizer neither(with(small("small-spm"), prefix + "add_bos_token", boolean(false)));
    EXPECT_EQ(neither.encode(""), Ids{});
    const Tokenizer both(with(small("small-spm"), prefix + "add_eos_token", boolean(true)));
    EXPECT_EQ(both.encode(""), (Ids{1, 2}));

    const Tokenizer smollm(small("small-bpe", "smollm"));
    EXPECT_EQ(smollm.encode(""), Ids{});
    const Tokenizer llama(small("small-bpe", "llama-bpe"));
    EXPECT_EQ(llama.encode(""), (Ids{*llama.vocabulary().bos}));
    const Tokenizer not_llama(
        with(small("small-bpe", "llama-bpe"), prefix + "add_bos_token", boolean(false)));
    EXPECT_EQ(not_llama.encode(""), Ids{});
}

TEST(Tokenizer, TheSpaceInFrontIsAsTheMetadataSay) {
    const Tokenizer with_space(small("small-spm"));
    EXPECT_EQ(with_space.encode("the"), (Ids{1, id_of(with_space, "▁the")}));
    EXPECT_EQ(with_space.decode(with_space.encode("the")), "the");
    EXPECT_EQ(with_space.decode(with_space.encode(" the")), " the");
    const Tokenizer without_space(
        with(small("small-spm"), prefix + "add_space_prefix", boolean(false)));
    EXPECT_FALSE(without_space.vocabulary().add_space_prefix);
    EXPECT_EQ(without_space.decode(without_space.encode("the")), "the");
    EXPECT_EQ(without_space.decode(without_space.encode(" the")), " the");
    EXPECT_NE(without_space.encode("the"), with_space.encode("the"));
    const Tokenizer bpe(with(small("small-bpe"), prefix + "add_space_prefix", boolean(true)));
    EXPECT_EQ(bpe.decode(bpe.encode(" the")), " the"); // byte-level BPE knows no such space
}

TEST(Tokenizer, ControlTokensInTheTextAreTextUnlessAskedFor) {
    const Tokenizer tokenizer(small("small-bpe"));
    const TokenId start = id_of(tokenizer, "<|im_start|>");
    const TokenId longer = id_of(tokenizer, "<|im_start|>system");
    EXPECT_EQ(tokenizer.encode("<|im_start|>").front(), start);
    EXPECT_EQ(tokenizer.encode("<|im_start|>system"), (Ids{longer}));
    for (const TokenId id : tokenizer.encode("<|im_start|>system", {.parse_special = false}))
        EXPECT_LT(id, start);
    // user-defined tokens always are
    EXPECT_EQ(tokenizer.encode("<tool>", {.parse_special = false}),
              (Ids{id_of(tokenizer, "<tool>")}));
}

TEST(Tokenizer, PartsAreTokenisedAsOneText) {
    for (const char* name : {"small-bpe", "small-spm"}) {
        const Tokenizer tokenizer(small(name));
        for (const bool parse : {false, true}) {
            const std::vector<TextPart> parts{{"the t", parse},
                                              {"", !parse},
                                              {"he ", !parse},
                                              {" text\n", parse},
                                              {"\n the", !parse}};
            EXPECT_EQ(tokenizer.encode(parts),
                      tokenizer.encode("the the  text\n\n the", {.add_special = false}))
                << name;
        }
        EXPECT_EQ(tokenizer.encode(std::span<const TextPart>()), Ids{});
    }
}

TEST(Tokenizer, ControlTokensCountWithinAPartThatParsesThem) {
    const Tokenizer tokenizer(small("small-bpe"));
    const TokenId start = id_of(tokenizer, "<|im_start|>");
    const TokenId tool = id_of(tokenizer, "<tool>");
    const auto count = [&](std::vector<TextPart> parts, TokenId id) {
        return std::ranges::count(tokenizer.encode(parts), id);
    };
    EXPECT_EQ(count({{"<|im_start|>", true}, {"<|im_start|>", false}}, start), 1);
    EXPECT_EQ(count({{"a<|im_start|>", false}, {"<|im_start|>a", true}}, start), 1);
    EXPECT_EQ(count({{"<|im_st", true}, {"art|>", false}}, start), 0); // half a user's
    EXPECT_EQ(count({{"<|im_st", true}, {"art|>", true}}, start), 0);
    EXPECT_EQ(count({{"<|im_start|>", true}, {"system", false}}, start), 1); // not the longer one
    EXPECT_EQ(count({{"<tool>", false}, {"<to", false}, {"ol>", true}}, tool), 2);

    const Tokenizer channels(named({"<|return|>", "<|call|>", "<|channel|>", "<|end|>"}, 3));
    const std::vector<TextPart> parts{{"<|channel|><|end|>", true}, {"<|channel|><|end|>", false}};
    const Ids ids = channels.encode(parts);
    for (const TokenId id : {258, 259}) EXPECT_EQ(std::ranges::count(ids, id), 1);
}

TEST(Tokenizer, ASpaceIsPutInFrontOfTheTextBehindASpecialToken) {
    const Tokenizer tokenizer(small("small-spm"));
    const TokenId the = id_of(tokenizer, "▁the");
    const TokenId user = id_of(tokenizer, "<|user|>");
    EXPECT_EQ(tokenizer.encode("the<|user|>the"), (Ids{1, the, user, the}));
}

TEST(Tokenizer, Phi3SwallowsWhiteSpaceBehindItsTokens) {
    const auto spm = small("small-spm");
    const Tokenizer plain(spm);
    const Tokenizer phi(with(spm, "general.name", text("Phi-3 mini")));
    EXPECT_EQ(phi.encode("<|user|> \n the"), plain.encode("<|user|>the"));
    EXPECT_NE(plain.encode("<|user|> \n the"), plain.encode("<|user|>the"));
    EXPECT_EQ(phi.encode("<s> the"), plain.encode("<s> the"));
}

TEST(Tokenizer, PiecesShowControlTokensOnlyOnRequest) {
    const Tokenizer tokenizer(small("small-bpe"));
    const TokenId start = id_of(tokenizer, "<|im_start|>");
    EXPECT_EQ(tokenizer.piece(start), "");
    EXPECT_EQ(tokenizer.piece(start, true), "<|im_start|>");
    EXPECT_EQ(tokenizer.piece(id_of(tokenizer, "<tool>")), "<tool>");
    EXPECT_EQ(tokenizer.piece(id_of(tokenizer, "Ġthe")), " the");
    EXPECT_EQ(tokenizer.piece(-1), "");
    EXPECT_EQ(tokenizer.piece(static_cast<TokenId>(tokenizer.vocabulary().size())), "");
    EXPECT_EQ(tokenizer.decode(Ids{-7, start, 1 << 30}), "");
    EXPECT_FALSE(tokenizer.ends_generation(-1));
    EXPECT_FALSE(tokenizer.ends_generation(static_cast<TokenId>(tokenizer.vocabulary().size())));
    const Tokenizer spm(small("small-spm"));
    EXPECT_EQ(spm.piece(3 + 0x0A), "\n");
    EXPECT_EQ(spm.piece(0), "");
    EXPECT_EQ(spm.piece(id_of(spm, "▁the")), " the");
}

TEST(Tokenizer, AnAnswerEndsWithEveryPieceThatModelsUseForIt) {
    const std::vector<std::string> names{"<|eot_id|>",
                                         "<|im_end|>",
                                         "<|end|>",
                                         "<end_of_turn>",
                                         "<|endoftext|>",
                                         "</s>",
                                         "<|eom_id|>",
                                         "<EOT>",
                                         "_<EOT>",
                                         "<|end_of_text|>",
                                         "<end_of_utterance>",
                                         "<eos>",
                                         "<｜end▁of▁sentence｜>",
                                         "[EOS]",
                                         "<|fim_pad|>",
                                         "<|repo_name|>",
                                         "<|file_sep|>"};
    for (const std::int32_t type : {1, 3}) {
        auto expected = names;
        expected.insert(expected.begin(), "Ā"); // eos of the metadata: the byte 0
        const Tokenizer tokenizer(named(names, type));
        EXPECT_EQ(ends(tokenizer), expected);
        EXPECT_EQ(tokenizer.vocabulary().types.back(), TokenType::control);
        EXPECT_EQ(tokenizer.vocabulary().eot, 256);
    }
    const Tokenizer none(named({"<|fim_prefix|>", "<|im_start|>", "end"}, 3));
    EXPECT_EQ(ends(none), std::vector<std::string>{"Ā"});
}

TEST(Tokenizer, IdsInTheMetadataEndAnAnswerToo) {
    auto metadata = named({"<stop>", "<pause>", "<im_end>"}, 3);
    metadata = with(metadata, prefix + "eot_token_id", number(256));
    metadata = with(metadata, prefix + "eom_token_id", number(257));
    EXPECT_EQ(ends(Tokenizer(metadata)), (std::vector<std::string>{"Ā", "<stop>", "<pause>"}));
    EXPECT_EQ(Tokenizer(metadata).vocabulary().eot, 256);
}

TEST(Tokenizer, WhereModelsTalkInChannelsEndIsNoEnd) {
    const Tokenizer tokenizer(named({"<|end|>", "<|return|>", "<|call|>", "<|channel|>"}, 3));
    EXPECT_EQ(ends(tokenizer), (std::vector<std::string>{"Ā", "<|return|>", "<|call|>"}));
    EXPECT_EQ(tokenizer.vocabulary().types[256], TokenType::user_defined);
    EXPECT_EQ(tokenizer.piece(259), "<|channel|>");
    const Tokenizer gemma(named({"</s>", "<|tool_response>"}, 3));
    EXPECT_EQ(ends(gemma), (std::vector<std::string>{"Ā", "<|tool_response>"}));
}

TEST(Tokenizer, MovesAndEncodesFromSeveralPlacesAlike) {
    Tokenizer one(small("small-bpe"));
    const Ids expected = one.encode("moved the text");
    Tokenizer other(std::move(one));
    EXPECT_EQ(other.encode("moved the text"), expected);
    one = std::move(other);
    EXPECT_EQ(one.encode("moved the text"), expected);
}

} // namespace
} // namespace pillar::tokenizer
