#include "pillar/session/session.hpp"

#include "draft_model.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/text.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/engine/proposer.hpp"
#include "pillar/forward/micro_batches.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/measure/allreduce.hpp"
#include "pillar/model/architecture.hpp"
#include "pillar/model/zeros.hpp"
#include "pillar/session/model_file.hpp"
#include "pillar/terminal/progress.hpp"
#include "pillar/terminal/streams.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::session {

namespace {

/// Weights that a token reads: packed, they may take some more bytes than in the file; of experts
/// a few are read.
std::uint64_t bytes_a_token(const model::Model& model, const forward::StepCost& cost) {
    if (model.h.n_experts == 0) return model.plan.packed_bytes;
    return static_cast<std::uint64_t>(cost.layer_bytes_of(1)) + cost.output_bytes;
}

using log::Level;

/// What sums until auto has measured.
comm::Algorithm first_algorithm(const ModelOptions& options) {
    return options.allreduce.value_or(comm::tree_algorithms(options.wire).front());
}

} // namespace

Session::Session(comm::Environment& environment, const ModelOptions& options,
                 const SessionNeeds& needs)
    : comm_(environment.world(first_algorithm(options), options.wire, options.emulated,
                              {.step_s = options.timeout_s})) {
    allreduce_ = comm::only(first_algorithm(options));
    log::set_identity(comm_->rank(), comm_->host(comm_->rank()));
    comm::agree(*comm_, [&] {
        if (comm_->is_root() && needs.check_outputs) needs.check_outputs();
    });
    open_model(options);
    choose_threads(options.n_threads, environment.launch().launcher);
    choose_family(options.family);

    forward::TransformerOptions wanted;
    wanted.n_context = context_of(h_, options.n_context);
    model::choose_rope_factors(h_, wanted.n_context);
    wanted.max_rows = needs.max_rows != 0 ? needs.max_rows : options.n_batch;
    wanted.max_logit_rows = needs.max_logit_rows;
    if (needs.logit_bytes != 0)
        wanted.max_logit_rows = std::clamp<std::size_t>(
            needs.logit_bytes / (h_.vocab_size * sizeof(float)), 1, wanted.max_rows);
    wanted.max_sequences = needs.max_sequences;
    wanted.keeps_windows = needs.keeps_windows;
    wanted.cache_types = options.cache_types;
    wanted.sums_activations = needs.sums_activations;
    if (options.draft.n_most > 0) wanted.max_back = engine::max_draft + 1;
    if (!options.draft.model.empty())
        draft_ = std::make_unique<DraftModel>(*comm_, options, tokenizer_->vocabulary(),
                                              wanted.n_context);
    if (wanted.n_context > h_.context_length)
        log::root(Level::warning, "--ctx-size {} is beyond the {} that the model was trained for",
                  wanted.n_context, counted(h_.context_length, "position"));
    read_input(needs, wanted.n_context);
    engine::LoopOptions loop = needs.loop;
    if (needs.full_row_bytes != 0)
        loop.max_full_rows = engine::full_rows_in(needs.full_row_bytes, h_.vocab_size);
    place_model(wanted, options, loop);
    if (needs.sizes_pool_by_memory) wanted.n_pages = choose_pages(wanted, options, loop);
    check_memory(wanted, options, loop);
    load_model(wanted, options);
    print_summary(options);
}

Session::~Session() = default;

forward::Transformer* Session::draft() noexcept {
    return draft_ == nullptr ? nullptr : &draft_->transformer();
}

/// Collective.
void Session::open_model(const ModelOptions& options) {
    std::string ignored, zeros;
    comm::agree(*comm_, [&] {
        file_.emplace(open_model_file(options));
        h_ = model::read_hyperparameters(*file_);
        ignored = model::check_tensors(*file_, h_);
        tokenizer_.emplace(file_->metadata());
        if (!options.synthetic) zeros = model::find_zeros(*file_, h_);
    });
    comm::expect_same(*comm_, "the model's header", fmt::format("{:016x}", file_->header_hash()));
    for (const std::string& warning : file_->warnings()) log::root(Level::warning, "{}", warning);
    if (!ignored.empty()) log::root(Level::info, "{}", ignored);
    if (const std::string slow = model::slow_formats(*file_); !slow.empty())
        log::root(Level::warning, "{}", slow);
    warn_of_zeros(zeros);
}

/// Collective. Each rank may have a copy of its own: rank 0 tells of the first with zeros.
void Session::warn_of_zeros(const std::string& mine) const {
    const std::vector<std::string> all = comm_->gather_to_root(mine);
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
        if (all[rank].empty()) continue;
        const std::string where = comm_->size() == 1
                                      ? ""
                                      : fmt::format(" (seen by rank {} on {})", rank,
                                                    comm_->host(static_cast<int>(rank)));
        log::root(Level::warning, "{}: {}{}", printable(file_->path(), 4096), all[rank], where);
        return;
    }
}

/// Collective. The others wait, however long somebody types.
void Session::read_input(const SessionNeeds& needs, std::size_t n_context) {
    comm::agree(*comm_, [&] {
        if (comm_->is_root() && needs.read_input)
            needs.read_input(*tokenizer_, n_context, [&] { comm_->heartbeat(); });
    });
}

/// Collective.
void Session::choose_threads(int requested, std::string_view launcher) {
    const comm::Binding binding = comm::examine_binding(*comm_, requested, launcher);
    if (!binding.warning.empty()) log::root(Level::warning, "{}", binding.warning);
    n_cpus_ = binding.n_threads_default;
    comm::agree(*comm_, [&] { team_.emplace(requested > 0 ? requested : n_cpus_, n_cpus_); });
    max_threads_ = team_->size();
}

/// Collective.
void Session::set_threads(int n_threads) {
    expects(n_threads <= max_threads_, "the forward pass has buffers for fewer threads");
    comm::agree(*comm_, [&] {
        if (n_threads == team_->size()) return;
        team_.emplace(n_threads, n_cpus_);
        transformer_->assign_work();
    });
}

/// Collective. A named one, or the fastest that all have.
void Session::choose_family(const kernels::Family* named) {
    if (named != nullptr) {
        family_ = named;
        return;
    }
    std::vector<std::uint8_t> mine;
    for (const kernels::Family* family : kernels::families())
        mine.push_back(family->supported() ? 1 : 0);
    const std::vector<std::vector<std::uint8_t>> all = comm::all_gather(*comm_, mine);
    for (std::size_t i = 0; i < mine.size(); ++i) {
        const bool everywhere =
            std::ranges::all_of(all, [i](const auto& supported) { return supported[i] != 0; });
        if (everywhere && !kernels::families()[i]->float_activations)
            family_ = kernels::families()[i];
    }
}

/// Collective.
void Session::load_model(const forward::TransformerOptions& wanted, const ModelOptions& options) {
    const Stopwatch clock;
    const auto device_before = bytes_from_device();
    std::uint64_t total = 0;
    comm::agree(*comm_,
                [&] { total = model::plan_weights(*file_, h_, share_, *family_).read_bytes; });
    LoadFacts own;
    {
        terminal::ProgressBar bar("loading", total,
                                  comm_->is_root() ? terminal::usual_progress()
                                                   : terminal::ProgressStyle::none);
        comm::agree(*comm_, [&] {
            const auto progress = [&](std::uint64_t done) {
                bar.show(done);
                comm_->heartbeat();
            };
            model_ = std::make_unique<model::Model>(*file_, h_, share_, *family_, *team_,
                                                    options.check_tensors, progress);
            transformer_ = std::make_unique<forward::Transformer>(*model_, wanted, *team_);
            own.seconds = clock.elapsed_s(); // without waiting for the others
        });
    }
    own.bytes = model_->load_bytes.matrices + model_->load_bytes.vectors;
    const auto device_after = bytes_from_device();
    if (!options.synthetic && device_before && device_after)
        own.bytes_from_device = *device_after - *device_before;
    load_ = gather_load(*comm_, own);
    if (draft_) draft_->load(*comm_, *family_, options, wanted, *team_);
    load_s_ = clock.elapsed_s();
}

namespace {

/// "direct 61.2 us, two-step 74.9 us"
std::string times_of(std::span<const measure::AllreduceTuning::Trial> trials) {
    std::vector<std::string> parts;
    for (const auto& trial : trials)
        parts.push_back(
            fmt::format("{} {:.1f} us", comm::name_of(trial.algorithm), trial.time_s * 1e6));
    return joined(parts, ", ");
}

} // namespace

void Session::tune_allreduce(comm::Environment& environment, const ModelOptions& options,
                             std::size_t prompt_rows) {
    if (options.allreduce || comm_->size() == 1) return;
    const std::size_t n_rows =
        std::min(transformer_->options().max_rows, comm::broadcast_from_root(*comm_, prompt_rows));
    // On a communicator of its own, so that the run's counters hold the run alone.
    const auto trial = environment.world(allreduce_.longer, options.wire, options.emulated,
                                         {.step_s = options.timeout_s});
    trial->set_in_steps(true);
    const measure::AllreduceTuning tuning = measure::tune_allreduce(
        *trial, options.wire, h_.dim, h_.dim * forward::first_micro_batch(n_rows, comm_->size()));
    allreduce_ = tuning.choice;
    comm_->choose(allreduce_);
    const auto bytes = [](std::size_t n_floats) {
        return human_bytes(static_cast<double>(n_floats * sizeof(float)));
    };
    log::root(Level::info, "reduce   {} for a token ({}: {})", comm::name_of(allreduce_.shorter),
              bytes(h_.dim), times_of(tuning.shorter));
    if (!tuning.longer.empty())
        log::root(Level::info, "reduce   {} for {} of the prompt ({}: {})",
                  comm::name_of(allreduce_.longer), counted(n_rows, "row"),
                  bytes(tuning.longer_floats), times_of(tuning.longer));
}

void Session::print_summary(const ModelOptions& options) const {
    const forward::Transformer& t = *transformer_;
    const std::uint64_t n_parameters = model_->plan.n_parameters;
    std::uint64_t tensor_bytes = 0;
    for (const gguf::TensorInfo& tensor : file_->tensors()) tensor_bytes += tensor.size_bytes;
    const auto bytes = [](std::uint64_t n) { return human_bytes(static_cast<double>(n)); };
    log::root(Level::info, "model    {} ({}), {} parameters, {}, {:.2f} bits per weight",
              h_.name.empty() ? "unnamed" : printable(h_.name), h_.architecture->name,
              n_parameters >= 1'000'000'000
                  ? fmt::format("{:.2f} B", static_cast<double>(n_parameters) / 1e9)
                  : fmt::format("{:.1f} M", static_cast<double>(n_parameters) / 1e6),
              bytes(tensor_bytes),
              8.0 * static_cast<double>(tensor_bytes) / static_cast<double>(n_parameters));
    log::root(Level::info, "ranks    {} x {}, {} kernels, all-reduce {}, {} wire", comm_->size(),
              counted(static_cast<std::size_t>(team_->size()), "thread"), family_->name,
              allreduce_text(options), comm::name_of(options.wire));
    if (options.played)
        log::root(Level::info,
                  "dry run  plays rank {} of {}: nothing is sent, results mean nothing",
                  options.played->rank, options.played->n_ranks);
    log::root(Level::info, "context  {}, KV cache {} {} on rank 0",
              counted(t.options().n_context, "position"), kernels::name_of(t.options().cache_types),
              bytes(t.kv_bytes()));
    if (t.options().n_pages != 0)
        log::root(Level::info, "pool     {} of 256 positions for up to {}",
                  counted(t.options().n_pages, "page"),
                  counted(t.options().max_sequences, "sequence"));
    log::root(Level::info, "memory   rank 0 takes {} beside {} in use; there is {} ({})",
              bytes(memory_.need.total()), bytes(memory_.in_use), bytes(memory_.available.bytes),
              memory_.available.limited_by);
    log::root(Level::info, "rank 0   reads {} of weights per token",
              bytes(bytes_a_token(*model_, t.cost())));
    log::root(Level::info, "load     {}", load_line(load_));
    std::vector<std::string> hosts;
    for (int rank = 0; rank < comm_->size(); ++rank) hosts.emplace_back(comm_->host(rank));
    if (const std::string slow = slow_load_line(load_, hosts); !slow.empty())
        log::root(Level::warning, "{}", slow);
}

std::string timing_line(const char* what, double seconds, std::uint32_t n, const char* unit) {
    const double count = std::max<double>(n, 1);
    return fmt::format(
        "{:>16} time = {:10.2f} ms / {:5} {:<6} ({:8.2f} ms per token, {:8.2f} tokens per second)",
        what, seconds * 1e3, n, unit, seconds * 1e3 / count, seconds > 0 ? n / seconds : 0.0);
}

} // namespace pillar::session
