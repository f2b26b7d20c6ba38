// plan: what a model needs and how fast it will be, before anything is started.

#include "options.hpp"
#include "pillar/arguments/parser.hpp"
#include "subcommands.hpp"

#include "pillar/comm/schedule.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/perf/machine_profile.hpp"
#include "pillar/plan/plan.hpp"

#include <cstdint>
#include <filesystem>
#include <fmt/core.h>
#include <memory>
#include <system_error>

namespace pillar::cli {

namespace {

struct PlanFlags {
    plan::PlanOptions options;
    plan::GridRequest grid;
    plan::DraftRequest draft;
    bool wants_grid = false;
    std::string proposer = "none"; ///< as --draft has it
};

/// Pieces between commas, none of them empty. A comma is part of a name where there is a file of
/// that name.
void add_names(Subcommand& sub, const std::string& name, const std::string& type,
               const std::string& help, std::vector<std::string>& names) {
    Flag& flag = sub.add(Ranks::may_differ, name, type, help);
    flag.read_name(
        [&names, &flag](const std::string& text) {
            names.clear();
            std::error_code unknown;
            if (std::filesystem::exists(text, unknown)) {
                names.push_back(text);
                return;
            }
            for (const std::string_view piece : split(text, ',')) {
                if (piece.empty())
                    throw UsageError(fmt::format("{} {}: there is nothing between two commas",
                                                 flag.typed(), printable(text)));
                names.emplace_back(piece);
            }
        },
        [&names] { return joined(names, ","); });
}

/// "ngram", "ngram:N", a shape with or without its type, or a file.
void parse_proposer(const std::string& text, std::string_view typed, PlanFlags& flags) {
    constexpr std::string_view with_number = "ngram:";
    plan::DraftRequest& draft = flags.draft;
    draft = {.n_most = plan::DraftRequest().n_most, .model = {}, .acceptance = draft.acceptance};
    flags.proposer = text;
    if (text == "ngram" || text == "none") return;
    if (text.starts_with(with_number))
        draft.n_most = static_cast<std::size_t>(
            arguments::whole_number(text.substr(with_number.size()), typed, 1,
                                    static_cast<std::int64_t>(plan::DraftRequest().n_most)));
    else if (text.ends_with(".gguf"))
        draft.model.model = text;
    else if (synthetic::find_shape(text) != nullptr)
        draft.model.synthetic = synthetic::parse_synthetic_name(text + ":q4_0");
    else if (text.find(':') != std::string::npos)
        draft.model.synthetic = synthetic::parse_synthetic_name(text);
    else
        throw UsageError(fmt::format("{} {}: give ngram, ngram:N, a shape as --synthetic takes it, "
                                     "FILE.gguf or none",
                                     typed, printable(text)));
}

void add_draft(Subcommand& sub, PlanFlags& flags) {
    Flag& draft =
        sub.add(Ranks::may_differ, "--draft", "HOW",
                "who proposes tokens that a step checks: ngram, ngram:N (at most N), a second "
                "model (SHAPE:TYPE or FILE.gguf) or none; tells the best number and the gain");
    draft
        .read_name([&flags, &draft](
                       const std::string& text) { parse_proposer(text, draft.typed(), flags); },
                   [&flags] { return flags.proposer; })
        .with_default();
    Flag& accept =
        sub.add(Ranks::may_differ, "--accept", "A",
                "with --draft: probability that a proposal is right where those before it were");
    accept.real(flags.draft.acceptance, 0.0, 1.0).with_default();
    sub.expect([&flags, &accept] {
        if (accept.is_given() && flags.proposer == "none")
            throw UsageError("--accept says how often proposals are right: give --draft too");
    });
}

void add_boards(Subcommand& sub, plan::PlanOptions& options) {
    sub.add_list(Ranks::may_differ, "--ranks", "LIST",
                 "numbers of ranks: 1,2,4,8 (default), 1-4, 1..64, 1-16*2")
        .numbers(options.ranks, 1, 1024);
    add_names(sub, "--profile", "NAME",
              fmt::format("machine profile: {}, or FILE.json, as check writes it (default: pi4); "
                          "with --grid several",
                          joined(perf::profile_names(), ", ")),
              options.profiles);
    sub.add(Ranks::may_differ, "--network", "NAME",
            fmt::format("instead of the profile's network: {}, or FILE.json",
                        joined(perf::network_names(), ", ")))
        .name(options.network);
    add_names(sub, "--nodes", "LIST",
              "the profile of each node where they are not alike: pi5,pi4,pi4", options.nodes);
    session::SplitRequest& shares = options.request.model.split;
    sub.add(Ranks::may_differ, "--split", "HOW",
            "how the model is shared: even; auto (by the profiles' speed, within their memory); or "
            "one share a rank as in 0.3,0.7")
        .read([&shares](const std::string& text) { shares = session::parse_split(text); },
              [&shares] { return session::split_text(shares); })
        .with_default();
}

void add_grid(Subcommand& sub, PlanFlags& flags) {
    sub.add_switch(Ranks::may_differ, "--grid", flags.wants_grid,
                   "one table of models, formats, boards and numbers of ranks");
    add_names(sub, "--models", "LIST", "with --grid: shapes, or all (default: a choice of them)",
              flags.grid.models);
    add_names(sub, "--formats", "LIST",
              "with --grid: types (default: q4_0, q4_k_m and q8_0, or what such a model was "
              "trained for)",
              flags.grid.formats);
}

void expect_plan_flags(const PlanFlags& flags) {
    const plan::PlanOptions& options = flags.options;
    const session::ModelOptions& model = options.request.model;
    if (model.allreduce) comm::require_available(*model.allreduce, model.wire);
    if (model.split.kind == session::SplitKind::file)
        throw UsageError("--split takes even, auto or shares here: a plan reads no trace");
    if (!options.nodes.empty() && !options.profiles.empty())
        throw UsageError("--nodes says each node's profile: leave --profile out");
    const bool names_models = !flags.grid.models.empty() || !flags.grid.formats.empty();
    if (!flags.wants_grid) {
        if (names_models) throw UsageError("--models and --formats go with --grid: give that too");
        if (options.profiles.size() > 1)
            throw UsageError("--profile: one, or several with --grid; --nodes tells nodes that are "
                             "not alike");
        return;
    }
    if (!options.nodes.empty()) throw UsageError("--grid takes equal nodes: leave --nodes out");
    if (flags.proposer != "none") throw UsageError("--grid goes without --draft");
    if (names_models && (model.synthetic || !model.model.empty()))
        throw UsageError("--models and --formats name the models of the grid: leave -m and "
                         "--synthetic out");
}

} // namespace

void add_plan(Parser& parser) {
    auto flags = std::make_shared<PlanFlags>();
    plan::PlanRequest& request = flags->options.request;
    session::ModelOptions& model = request.model;
    Subcommand& sub = parser.add(
        "plan", "memory, messages and predicted speed of a model on a number of nodes, one rank "
                "each; computes nothing");
    add_model_or_synthetic(sub, model, true, &flags->wants_grid);
    add_boards(sub, flags->options);
    add_context(sub, model);
    add_batch_size(sub, model);
    sub.add(Ranks::may_differ, "-p,--n-prompt", "N", "prompt tokens")
        .whole(request.n_prompt, 1, INT32_MAX)
        .with_default();
    sub.add(Ranks::may_differ, "-d,--n-depth", "N",
            "positions in the context when a token is decoded")
        .whole(request.depth, 0, INT32_MAX)
        .with_default();
    sub.add(Ranks::may_differ, "--parallel", "N",
            "sequences that decode together; t/s is of all of them")
        .whole(request.n_parallel, 1, 256)
        .with_default();
    add_draft(sub, *flags);
    add_cache_type(sub, model);
    sub.add(Ranks::may_differ, "--allreduce", "NAME",
            "auto (the fastest of the first three that the profile predicts), "
            "recursive-doubling, direct, two-step (reduce-scatter + all-gather) or ring")
        .choice<std::optional<comm::Algorithm>>(
            model.allreduce, {{"auto", std::nullopt},
                              {"recursive-doubling", comm::Algorithm::recursive_doubling},
                              {"direct", comm::Algorithm::direct},
                              {"two-step", comm::Algorithm::reduce_scatter},
                              {"ring", comm::Algorithm::ring}})
        .with_default();
    add_wire(sub, model);
    add_grid(sub, *flags);
    add_output_format(sub, flags->options.format, false);
    sub.expect([flags] { expect_plan_flags(*flags); });
    sub.when_called([flags](Command& command) {
        if (flags->wants_grid) flags->options.grid = flags->grid;
        if (flags->proposer != "none") flags->options.request.draft = flags->draft;
        command.run_alone = [flags] {
            print_text(plan::plan_text(flags->options));
            return 0;
        };
    });
}

} // namespace pillar::cli
