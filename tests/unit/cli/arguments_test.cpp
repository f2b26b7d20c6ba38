// The command line as it is typed: what is understood, what is refused and how, and which flags all
// ranks must share.

#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"
#include "words/foreign_flags.hpp"
#include "words/nearest.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/kernels/family.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace pillar::cli {
namespace {

using namespace arguments;

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

/// The sentence with which these arguments are refused; "" when they are taken.
std::string refusal(const Words& words) {
    Parser parser;
    add_subcommands(parser);
    try {
        (void)parser.parse(words);
    } catch (const UsageError& error) {
        return error.what();
    }
    return {};
}

/// The settings of these arguments by name: what ranks compare.
std::map<std::string, std::string> settings(const Words& words) {
    Parser parser;
    add_subcommands(parser);
    (void)parser.parse(words);
    std::map<std::string, std::string> keys;
    for (const Subcommand& subcommand : parser.subcommands())
        if (subcommand.name() == words.front())
            for (const Setting& setting : subcommand.settings()) keys[setting.name] = setting.key;
    return keys;
}

TEST(arguments, are_taken_in_every_usual_form) {
    const Words forms[] = {{"run", "-m", "a.gguf", "-n", "5"},
                           {"run", "-m", "a.gguf", "-n5"},
                           {"run", "-ma.gguf", "-n=5"},
                           {"run", "--model=a.gguf", "--n-predict=5"},
                           {"run", "a.gguf", "-n", "-1"},
                           {"run", "-n-1", "a.gguf"},
                           {"run", "--", "a.gguf"},
                           {"run", "-m", "a.gguf", "-p", "-n"},
                           {"run", "-m", "a.gguf", "-p", "--"},
                           {"run", "-m", "a.gguf", "-p", ""},
                           {"run", "-m", "a.gguf", "--stop", "--", "--stop=a=b"},
                           {"run", "-m", "a.gguf", "-q", "--no-escape", "--escape"},
                           {"logits", "-m", "a.gguf", "--ids", "1,2", "--ids", "3"},
                           {"bench", "-m", "a.gguf,b.gguf", "-p", "1-8*2", "-t1,2"},
                           {"bench", "a.gguf", "b.gguf"},
                           {"bench", "--allreduce"},
                           {"bench", "--allreduce", "--emulate-network", "50,8.5"},
                           {"bench", "--allreduce=table", "--sizes", "64,4096"},
                           {"plan", "a.gguf", "--ranks", "1-4"},
                           {"check", "a.gguf"},
                           {"inspect", "a.gguf"},
                           {"tokenize", "a.gguf", "-p", "hi"},
                           {"report", "a.h5", "-o", "csv", "b.h5"}};
    for (const Words& words : forms) EXPECT_EQ(refusal(words), "") << testing::PrintToString(words);
}

TEST(arguments, given_twice_count_with_the_last) {
    EXPECT_EQ(settings({"run", "a.gguf", "-c", "8", "--temp", "1", "-c", "16"})["--ctx-size"],
              "16");
    EXPECT_EQ(settings({"run", "a.gguf", "--ignore-eos", "--ignore-eos"})["--ignore-eos"], "yes");
    EXPECT_EQ(settings({"bench", "a.gguf", "-p", "1", "-p", "2-3"})["--n-prompt"], "1,2,3");
}

TEST(arguments, of_llama_cpp_are_known_as_whole_words) {
    const Words flags = {"-ngl",      "-cnv", "-sys", "-fa",   "-temp",     "--mlock", "-hf",
                         "--no-mmap", "-ctk", "-ctv", "-mg",   "-sm",       "--color", "-i",
                         "-e",        "-cb",  "-np",  "-ub",   "-tb",       "-mlock",  "-top-k",
                         "-md",       "-mu",  "-mm",  "-ts",   "-r",        "--keep",  "--lora",
                         "-sp",       "-st",  "-co",  "-nkvo", "--grammar", "-nocb",   "-ot"};
    for (const std::string& flag : flags)
        for (const Words& words :
             {Words{"run", "-m", "a.gguf", flag, "1"}, Words{"run", "-m", "a.gguf", flag}})
            EXPECT_THAT(refusal(words), AllOf(HasSubstr(flag), HasSubstr("pillar run --help"),
                                              Not(HasSubstr("meant")), Not(HasSubstr("Could"))))
                << flag;
    EXPECT_THAT(refusal({"run", "-ngl", "99"}), HasSubstr("GPU"));
    EXPECT_THAT(refusal({"run", "-temp", "1"}), HasSubstr("--temp"));
    EXPECT_THAT(refusal({"bench", "-fa", "1"}), HasSubstr("flash attention"));
}

TEST(arguments, of_llama_cpp_are_not_flags_of_a_subcommand) {
    Parser parser;
    add_subcommands(parser);
    for (const Flag& flag : parser.subcommands().front().flags())
        for (const std::string& name : flag.names())
            EXPECT_EQ(about_foreign_flag(name).find("leave it out"), std::string::npos)
                << name << ": the table speaks of a flag that there is";
}

TEST(arguments, that_are_mistyped_have_a_suggestion) {
    EXPECT_THAT(refusal({"rum"}), HasSubstr("is run meant?"));
    EXPECT_THAT(refusal({"benhc"}), HasSubstr("is bench meant?"));
    EXPECT_THAT(refusal({"frobnicate"}),
                HasSubstr("run, chat, batch, bench, logits, perplexity, imatrix, inspect"));
    EXPECT_THAT(refusal({"run", "--tmep", "0.5"}), HasSubstr("is --temp meant?"));
    EXPECT_THAT(refusal({"run", "--ctx_size=5"}), HasSubstr("is --ctx-size meant?"));
    EXPECT_THAT(refusal({"run", "-promt", "hi"}), HasSubstr("is --prompt meant?"));
    EXPECT_THAT(refusal({"run", "--zzzzz"}), AllOf(HasSubstr("--zzzzz"), Not(HasSubstr("meant"))));
    EXPECT_THAT(refusal({"run", "a.gguf", "--cache-type", "f15"}), HasSubstr("is f16 meant?"));
    EXPECT_THAT(refusal({"-m", "a.gguf", "run"}), HasSubstr("the subcommand comes first"));
}

TEST(arguments, that_are_empty_are_refused_by_name) {
    const std::map<std::string, Words> flags = {
        {"run",
         {"-m",
          "-c",
          "-b",
          "-t",
          "-n",
          "-s",
          "-f",
          "--temp",
          "--top-k",
          "--top-p",
          "--min-p",
          "--repeat-last-n",
          "--repeat-penalty",
          "--presence-penalty",
          "--frequency-penalty",
          "--kernels",
          "--cache-type",
          "--allreduce",
          "--wire",
          "--emulate-network",
          "--timeout",
          "--split",
          "--trace",
          "--stop"}},
        {"logits", {"-m", "--ids", "-o"}},
        {"bench",
         {"-m", "--synthetic", "-p", "-n", "-d", "-b", "-t", "-r", "--prompt-gen", "-o", "--write",
          "--allreduce", "--sizes"}},
        {"inspect", {"--items", "-m"}},
        {"plan", {"--ranks", "--profile", "-p", "-d", "--synthetic", "-o"}},
        {"check", {"-c", "-b", "-t", "--timeout", "-o", "-m", "--synthetic"}},
        {"report", {"--profile", "--recover", "-o"}}};
    for (const auto& [subcommand, names] : flags)
        for (const std::string& name : names)
            for (const Words& form : {Words{name, ""}, Words{name + "="}}) {
                Words words = {subcommand};
                if (subcommand != "report") words.push_back("a.gguf");
                if (name == "-m" || name == "--synthetic") words.resize(1);
                words.insert(words.end(), form.begin(), form.end());
                EXPECT_THAT(refusal(words), HasSubstr(name)) << subcommand;
            }
}

TEST(arguments, that_lack_something_say_what) {
    EXPECT_THAT(refusal({"run"}), HasSubstr("-m FILE"));
    EXPECT_THAT(refusal({"run", "-m"}), HasSubstr("-m wants a value"));
    EXPECT_THAT(refusal({"run", "-m", "-p", "hi"}), HasSubstr("-m wants a value, but -p follows"));
    EXPECT_THAT(refusal({"run", "a.gguf", "-n"}), HasSubstr("-n wants a value"));
    EXPECT_THAT(refusal({"run", "a.gguf", "-n", "12k"}), HasSubstr("-n 12k"));
    EXPECT_THAT(refusal({"run", "a.gguf", "--predict", "12k"}), HasSubstr("--predict 12k"));
    EXPECT_THAT(refusal({"run", "Once upon"}), HasSubstr("a prompt with -p"));
    EXPECT_THAT(refusal({"run", "a.gguf", "-m", "b.gguf"}), HasSubstr("two models"));
    EXPECT_THAT(refusal({"run", "a.gguf", "-p", "a", "-f", "b"}), HasSubstr("two prompts"));
    EXPECT_THAT(refusal({"run", "a.gguf", "--force=yes"}), HasSubstr("--force takes no value"));
    EXPECT_THAT(refusal({"bench", "a.gguf", "--sizes", "64"}), HasSubstr("--sizes"));
    EXPECT_THAT(refusal({"bench", "--allreduce", "--sizes", "6"}), HasSubstr("--sizes 6"));
}

/// Flags with which ranks may be started differently; all others are compared.
TEST(ranks, may_differ_in_these_flags_alone) {
    const std::map<std::string, std::set<std::string>> expected = {
        {"run",
         {"--model", "--threads", "--check-tensors", "--timeout", "--prompt", "--file", "--escape",
          "--predict", "--display-prompt", "--stop", "--quiet", "--force"}},
        {"bench",
         {"--check-tensors", "--timeout", "--output", "--force", "--profile", "--network"}},
        {"logits",
         {"--model", "--threads", "--check-tensors", "--timeout", "--prompt", "--file", "--escape",
          "--ids", "--output", "--force"}},
        {"check", {"--threads", "--timeout", "--output", "--force", "--json"}}};
    Parser parser;
    add_subcommands(parser);
    for (const Subcommand& subcommand : parser.subcommands()) {
        if (!expected.contains(subcommand.name())) continue; // they start no ranks
        std::set<std::string> may_differ;
        for (const Flag& flag : subcommand.flags())
            if (flag.ranks() == Ranks::may_differ) may_differ.insert(flag.name_told());
        EXPECT_EQ(may_differ, expected.at(subcommand.name())) << subcommand.name();
    }
}

TEST(ranks, compare_what_is_meant) {
    const auto run = [](Words words) {
        words.insert(words.begin(), {"run", "a.gguf"});
        return settings(words);
    };
    const auto usual = run({});
    EXPECT_EQ(usual.at("the subcommand"), "run");
    const Words same[] = {{"--temp", "0.80"},
                          {"--top-k", "040"},
                          {"-s", "-1"},
                          {"--split", "even"},
                          {"-b", "256"},
                          {"-c", "0"},
                          {"--allreduce", "auto"},
                          {"-n", "7"},
                          {"-t", "3"},
                          {"--timeout", "5"},
                          {"-p", "another prompt"},
                          {"--stop", "x"},
                          {"--frequency-penalty=-0.0e5", "--frequency-penalty", "0"}};
    for (const Words& words : same) EXPECT_EQ(run(words), usual) << testing::PrintToString(words);
    const std::map<std::string, Words> other = {
        {"--ctx-size", {"-c", "8"}},
        {"--batch-size", {"-b", "2"}},
        {"--kernels", {"--kernels", "integer"}},
        {"--cache-type", {"--cache-type", "q8_0"}},
        {"--allreduce", {"--allreduce", "ring"}},
        {"--wire", {"--wire", "f16"}},
        {"--emulate-network", {"--emulate-network", "50,8.5"}},
        {"--split", {"--split", "auto"}},
        {"--seed", {"-s", "1"}},
        {"--temp", {"--temp", "0"}},
        {"--top-k", {"--top-k", "100"}},
        {"--top-p", {"--top-p", "0.5"}},
        {"--min-p", {"--min-p", "0.5"}},
        {"--repeat-last-n", {"--repeat-last-n", "-1"}},
        {"--repeat-penalty", {"--repeat-penalty", "1.5"}},
        {"--presence-penalty", {"--presence-penalty", "1"}},
        {"--frequency-penalty", {"--frequency-penalty", "1"}},
        {"--ignore-eos", {"--ignore-eos"}},
        {"--trace", {"--trace", "a.h5"}}};
    for (const auto& [name, words] : other) {
        auto changed = run(words);
        EXPECT_NE(changed[name], usual.at(name)) << name;
        changed[name] = usual.at(name);
        if (name == "--cache-type") // it is that of keys and values
            for (const char* half : {"--cache-type-k", "--cache-type-v"})
                changed[half] = usual.at(half);
        EXPECT_EQ(changed, usual) << name << " alone";
    }
    EXPECT_EQ(run({"--trace", "a.h5"}), run({"--trace", "b.h5"}));
    EXPECT_EQ(run({"--split", "a.h5"}), run({"--split", "b.h5"}));
    const std::string fastest(kernels::families()[kernels::best_family()]->name);
    EXPECT_EQ(run({"--kernels", "integer"}), run({"--kernels", fastest})); // the same bits
    EXPECT_NE(run({"--kernels", "integer"}), run({"--kernels", "reference"}));
}

TEST(ranks, of_bench_compare_their_tests) {
    const auto bench = [](Words words) {
        words.insert(words.begin(), {"bench", "--synthetic", "smollm2-135m:q4_0"});
        return settings(words);
    };
    EXPECT_EQ(bench({"-p", "1,2,3"}), bench({"-p", "1-3"}));
    EXPECT_EQ(bench({"-p", "512"}), bench({}));
    EXPECT_EQ(bench({"-t", "1"}), bench({"-t", "2"}));
    EXPECT_NE(bench({"-t", "1,2"}), bench({"-t", "2"}));
    EXPECT_NE(bench({"-r", "2"}), bench({}));
    EXPECT_NE(bench({"--allreduce"}), bench({}));
    EXPECT_NE(bench({"--allreduce", "--sizes", "8"}), bench({"--allreduce"}));
    EXPECT_NE(bench({"--no-warmup"}), bench({}));
    EXPECT_NE(bench({"-m", "a.gguf"}), bench({}));
}

TEST(nearest, counts_typing_errors) {
    EXPECT_EQ(typing_errors("", "abc"), 3u);
    EXPECT_EQ(typing_errors("temp", "temp"), 0u);
    EXPECT_EQ(typing_errors("tmep", "temp"), 1u);
    EXPECT_EQ(typing_errors("rum", "run"), 1u);
    EXPECT_EQ(typing_errors("kitten", "sitting"), 3u);
}

} // namespace
} // namespace pillar::cli
