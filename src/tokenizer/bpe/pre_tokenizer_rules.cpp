// The rules by name, as the models' own tokenizers define them and as llama.cpp's converter names
// and applies them (there, \p{Lu}, \p{Lo} … all mean \p{L}, and [a-z] against [A-Z] tells the case
// of ASCII letters only; ids must agree, so the same is written here). Patterns that would scan a
// run of white space again and again have a look-behind that lets them begin only where it can
// matter.

#include "pillar/tokenizer/pre_tokenizer.hpp"

#include <algorithm>

namespace pillar::tokenizer {

namespace {

using namespace std::string_literals;

// What most patterns are put together from, in the order of trial.
const auto contraction = R"('(?:[sSdDmMtT]|[rR][eE]|[vV][eE]|[lL][lL]))"s;
const auto letters = R"(|[^\r\n\p{L}\p{N}]?\p{L}+)"s;
const auto signs = R"(| ?[^\s\p{L}\p{N}]+)"s;
const auto line_ends = R"(|\s*[\r\n]+)"s;
const auto spaces = R"(|\s+(?!\S)|\s+)"s; // all but the last before a word, which takes that one

const auto gpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+)"s + signs + spaces;
const auto llama3 =
    contraction + letters + R"(|\p{N}{1,3})" + signs + R"([\r\n]*)" + line_ends + spaces;
const auto qwen2 = contraction + letters + R"(|\p{N})" + signs + R"([\r\n]*)" + line_ends + spaces;
const auto qwen35 = contraction + R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N})" +
                    R"(| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" + line_ends + spaces;
const auto ufakzeka = letters.substr(1) + R"(|\p{N})" + signs + R"([\r\n]*)" + line_ends + spaces;
const auto minicpm5 =
    contraction + letters + R"(|\p{N}+)" + signs + R"([\r\n]*)" + line_ends + spaces;
const auto seed_coder =
    contraction + letters + R"(|\p{N}| ?[^\s\p{L}\p{N}\r\n]+)" + line_ends + spaces;
const auto bailing = contraction + letters + R"(|\p{N})" + signs + R"([\r\n]*|\s*[\r\n])" + spaces;
const auto exaone_moe = contraction +
                        R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*+(?: \p{L}\p{M}*+)*+)++|\p{N})" +
                        signs + R"([\r\n/]?|\s*[\r\n])" + spaces;

// White space in runs of 512, 256 … 4, 2, 1. Where such a run was begun without reaching a line end
// there is none to reach, so line_ends is not tried behind white space other than line ends.
const auto jais2 =
    contraction + letters + R"(|\p{N}{1,3})" + signs + R"([\r\n]*)" +
    R"(|(?<![\t\x{B}\f \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]))" +
    line_ends.substr(1) +
    R"(|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S))" +
    R"(|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s)";

// Words that change from upper to lower case once. [^\P{L}a-z]: letters but a-z.
const auto tekken = R"([^\r\n\p{L}\p{N}]?[^\P{L}a-z]*[^\P{L}A-Z]+)"s +
                    R"(|[^\r\n\p{L}\p{N}]?[^\P{L}a-z]+[^\P{L}A-Z]*|\p{N})" + signs + R"([\r\n/]*)" +
                    line_ends + spaces;
const auto gpt4o = R"([^\r\n\p{L}\p{N}]?[^\P{L}a-z]*[^\P{L}A-Z]+(?:)" + contraction + ")?" +
                   R"(|[^\r\n\p{L}\p{N}]?[^\P{L}a-z]+[^\P{L}A-Z]*(?:)" + contraction + ")?" +
                   R"(|\p{N}{1,3})" + signs + R"([\r\n/]*)" + line_ends + spaces;
// The same with marks beside letters: neither a-z nor \p{C}, \p{N} …
const auto not_lower = R"([^a-z\p{C}\p{N}\p{P}\p{S}\p{Z}])"s;
const auto not_upper = R"([^A-Z\p{C}\p{N}\p{P}\p{S}\p{Z}])"s;
const auto granite_embedding = R"([^\r\n\p{L}\p{N}]?)" + not_lower + "*" + not_upper +
                               "+(?:" + contraction + ")?" + R"(|[^\r\n\p{L}\p{N}]?)" + not_lower +
                               "+" + not_upper + "*(?:" + contraction + ")?" + R"(|\p{N}{1,3})" +
                               signs + R"([\r\n/]*)" + line_ends + spaces;

const auto letters_and_marks = R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?:)"s + contraction + ")?";
const auto tiny_aya =
    letters_and_marks + R"(|\p{N}{1,3})" + signs + R"([\r\n/]*)" + line_ends + spaces;
const auto youtu = letters_and_marks + R"(|\p{N})" + signs + R"([\r\n/]*)" + line_ends + spaces;

// \p{S} and the blocks of pictures, whose newest the library's tables may lack (elsewhere what is
// in no category counts as a sign anyway)
const auto symbols = R"(\p{S}\x{1F000}-\x{1FAFF})"s; // inside brackets
const auto command_or_letters =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P})"s + symbols +
    R"(]?[\p{L}\p{M}]+| ?[\p{P})" + symbols + "]+";
const auto deepseek3 = command_or_letters + R"([\r\n]*)" + line_ends + spaces;
const auto spark = command_or_letters + R"(|[\r\n])" + spaces;

const auto han = // inside brackets
    R"(\x{3400}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2EBEF}\x{2F800}-\x{2FA1F})"s;
const auto kimi = "[" + han + "]+" + R"(|[^\r\n\p{L}\p{N}]?[^\P{L})" + han + "]+(?:" + contraction +
                  R"()?|\p{N}{1,3})" + signs + R"([\r\n]*)" + line_ends + spaces;

// Steps that single out one thing.
const auto number = R"(\p{N})"s;
const auto numbers = R"(\p{N}+)"s;
const auto numbers_of_three = R"(\p{N}{1,3})"s;
const auto three_digits = R"([0-9][0-9][0-9])"s;
const auto digits = R"([0-9]+)"s;
const auto line_end = R"([\r\n])"s;
const auto lines = R"([^\n]+|\n+)"s;
const auto spaces_at_end = R"((?<!\s)\s+\z)"s;
const auto punctuation = R"([\p{P}$+<=>^~|]+)"s;
const auto falcon_punctuation = R"([\p{P}$+<=>^~|`]+)"s;
const auto no_punctuation =
    R"( ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+)"s;
const auto ideographs_and_kana = R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)"s;
const auto east_asian = // U+0800 to U+9FA5 and Hangul, without white space
    R"([\x{800}-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E})"
    R"(\x{2030}-\x{205E}\x{2060}-\x{2FFF}\x{3001}-\x{9FA5}\x{AC00}-\x{D7FF}]+)"s;
const auto youtu_scripts =
    R"([\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+|[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018})"
    R"(\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C}\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[)"
    R"(\x{3105}-\x{312F}]+|[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)"s;
const auto afmoe_scripts =
    R"([\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{8C48}-\x{FAFF}\x{3040}-\x{309F})"
    R"(\x{30A0}-\x{30FF}\x{FF65}-\x{FF9F}\x{2F00}-\x{2FDF}\x{E40}-\x{E7F}\x{E80}-\x{EFF})"
    R"(\x{1780}-\x{17FF}\x{1000}-\x{109F}\x{AA60}-\x{AA7F}\x{A9E0}-\x{A9FF})"
    R"(\x{AC00}-\x{D7AF}\x{1100}-\x{11FF}]+)"s;
const auto deepseek_letters = // the Latin, Greek, Cyrillic … letters that have a case
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF})"
    R"(\x{1C4}-\x{293}\x{295}-\x{2AF}\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F})"
    R"(\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}\x{3A3}-\x{3F5}\x{3F7}-\x{481})"
    R"(\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}\x{13F8}-\x{13FD})"
    R"(\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77})"
    R"(\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45})"
    R"(\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D})"
    R"(\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
    R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4})"
    R"(\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124})"
    R"(\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F})"
    R"(\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F})"
    R"(\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06})"
    R"(\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F})"
    R"(\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
    R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)"s;
const auto deepseek_punctuation =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3001}\x{3002}]+)"s;

std::vector<PreTokenizerRule> make_rules() {
    std::vector<PreTokenizerRule> rules{
        {.names = {"default"}, .steps = {{punctuation}, {gpt2}, {numbers}, {three_digits}}},
        {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0",
                   "lfm2", "jina-v5-nano"},
         .steps = {{llama3}},
         .ignore_merges = true,
         .add_bos = true},
        {.names = {"dbrx", "smaug-bpe"}, .steps = {{llama3}}},
        {.names = {"chatglm-bpe"}, .steps = {{llama3}}, .has_default_bos = false},
        {.names = {"glm4", "glm5"},
         .steps = {{llama3}},
         .ignore_merges = true,
         .has_default_bos = false},
        {.names = {"jais-2"}, .steps = {{jais2}}},
        {.names = {"gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en",
                   "jina-v2-code", "roberta-bpe", "gigachat", "a.x-4.0", "mellum", "modern-bert",
                   "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4"},
         .steps = {{gpt2}}},
        {.names = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone",
                   "minerva-7b", "mellum2"},
         .steps = {{number}, {gpt2}}},
        {.names = {"falcon"}, .steps = {{falcon_punctuation}, {gpt2}, {three_digits}}},
        {.names = {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "megrez",
                   "hunyuan", "solar-open", "grok-2"},
         .steps = {{qwen2}}},
        {.names = {"qwen35"}, .steps = {{qwen35}}},
        {.names = {"ufakzeka"}, .steps = {{ufakzeka}}},
        {.names = {"laguna"}, .steps = {{lines}, {qwen2}}},
        {.names = {"minicpm5"}, .steps = {{numbers_of_three}, {minicpm5}}, .ignore_merges = true},
        {.names = {"seed-coder"}, .steps = {{seed_coder}}},
        {.names = {"bailingmoe", "bailingmoe2", "llada-moe"}, .steps = {{bailing}}},
        {.names = {"exaone-moe"}, .steps = {{exaone_moe}}},
        {.names = {"tekken"}, .steps = {{tekken}}, .ignore_merges = true, .add_bos = true},
        {.names = {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}, .steps = {{gpt4o}}},
        {.names = {"granite-embed-multi-97m"},
         .steps = {{granite_embedding}},
         .ignore_merges = true},
        {.names = {"tiny_aya", "cohere2moe"},
         .steps = {{numbers, DigitCuts::apart_on_right}, {tiny_aya}}},
        {.names = {"superbpe"}, .steps = {{numbers}, {digits, DigitCuts::threes}}},
        {.names = {"afmoe"},
         .steps = {{numbers, DigitCuts::apart_on_right}, {afmoe_scripts}, {deepseek3}}},
        {.names = {"youtu"}, .steps = {{youtu_scripts}, {youtu}}, .ignore_merges = true},
        {.names = {"kimi-k2"}, .steps = {{kimi}}},
        {.names = {"deepseek-llm"},
         .steps = {{line_end},
                   {deepseek_letters},
                   {deepseek_punctuation},
                   {spaces_at_end},
                   {east_asian},
                   {numbers}}},
        {.names = {"deepseek-coder"},
         .steps = {{line_end}, {R"(\s?\p{L}+)"}, {R"(\s?\p{P}+)"}, {east_asian}, {number}}},
        {.names = {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"},
         .steps = {{numbers_of_three}, {ideographs_and_kana}, {deepseek3}}},
        {.names = {"spark2_5"},
         .steps = {{numbers_of_three}, {ideographs_and_kana}, {spark}, {number}}},
        {.names = {"bloom", "poro-chat", "gpt3-finnish"}, .steps = {{no_punctuation}}},
        {.names = {"viking"}, .steps = {{no_punctuation}, {number}}},
        {.names = {"chameleon"},
         .steps = {{R"(<sentinel:[0-9]+>)"},
                   {R"(IMGIMG[A-I]{1,4}Z)"},
                   {R"([\t\n]|    |  )"},
                   {number},
                   {R"([\p{P}!-/:-@\[-`{-~])"},
                   {gpt2}},
         .add_bos = true},
    };
    return rules;
}

} // namespace

std::span<const PreTokenizerRule> pre_tokenizer_rules() {
    static const std::vector<PreTokenizerRule> rules = make_rules();
    return rules;
}

const PreTokenizerRule* find_pre_tokenizer(std::string_view name) {
    const auto rules = pre_tokenizer_rules();
    const auto has_name = [name](const PreTokenizerRule& rule) {
        return std::ranges::find(rule.names, name) != rule.names.end();
    };
    const auto found = std::ranges::find_if(rules, has_name);
    return found == rules.end() ? nullptr : &*found;
}

} // namespace pillar::tokenizer
