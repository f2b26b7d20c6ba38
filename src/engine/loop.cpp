#include "pillar/engine/loop.hpp"

#include "draft_rows.hpp"
#include "messages/reply.hpp"
#include "messages/request.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/engine/signals.hpp"
#include "pillar/forward/micro_batches.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <optional>

namespace pillar::engine {

namespace {

/// Rows of the vocabulary that the rank with the most of them owns: the same on every rank.
std::size_t max_vocabulary_rows(const partition::Sizes& sizes, const partition::Share& share) {
    std::size_t most = 0;
    for (int rank = 0; rank < share.n_ranks; ++rank)
        most = std::max(most, partition::vocabulary_of(sizes, share, rank).size());
    return most;
}

std::size_t own_reply_capacity(const forward::Transformer& model, const LoopOptions& options) {
    return reply_capacity(model.share().vocabulary.size(), model.options().max_logit_rows, options);
}

std::size_t max_reply_capacity(const forward::Transformer& model, const LoopOptions& options) {
    return reply_capacity(max_vocabulary_rows(model.hyperparameters().sizes(), model.share()),
                          model.options().max_logit_rows, options);
}

} // namespace

std::size_t full_rows_in(std::uint64_t n_bytes, std::size_t vocab_size) noexcept {
    // As it comes, as it is put together, and its candidates with their raw logits.
    constexpr std::size_t token_bytes = 3 * sizeof(float) + sizeof(sampling::Candidate);
    return std::max<std::size_t>(2, n_bytes / (token_bytes * vocab_size));
}

std::uint64_t loop_bytes(const partition::Sizes& sizes, const partition::Share& share,
                         const forward::TransformerOptions& model_options,
                         const LoopOptions& options, int n_threads) {
    const std::size_t n_rows = model_options.max_logit_rows;
    const std::size_t most = reply_capacity(max_vocabulary_rows(sizes, share), n_rows, options);
    const std::uint64_t histories =
        Sequences::size_bytes(model_options.max_sequences, model_options.n_context);
    const std::uint64_t requests = 2 * request_capacity(model_options); // as bytes, and as a plan
    const std::uint64_t of_every_rank =
        requests + reply_capacity(share.vocabulary.size(), n_rows, options) +
        comm::GatherBuffer::size_bytes(share.n_ranks, most, share.rank) + histories +
        ReplyBuilder::size_bytes(share.vocabulary.size(), n_rows, options, n_threads);
    if (share.rank != 0) return of_every_rank;
    return of_every_rank +
           OutcomeReader::size_bytes(sizes.vocab_size, n_rows, options, share.n_ranks);
}

std::size_t max_collectives(const forward::Transformer& model) noexcept {
    const std::size_t a_layer =
        forward::allreduces_a_layer(model.options().max_rows, model.share().n_ranks,
                                    model::n_joint_norms(model.hyperparameters()) > 0);
    return model.hyperparameters().n_layers * a_layer + 2;
}

namespace {

/// A model, and what its results travel through.
struct Side {
    Side(forward::Transformer& of, comm::Communicator& comm, const LoopOptions& options)
        : model(of), builder(of, options) {
        comm.reserve(of.options().max_rows * of.hyperparameters().dim);
        if (model::n_joint_norms(of.hyperparameters()) > 0)
            comm.reserve_exact(of.options().max_rows * forward::squares_a_row);
        if (comm.is_root()) reader.emplace(of, comm, options);
    }
    forward::Transformer& model;
    ReplyBuilder builder;
    std::optional<OutcomeReader> reader; ///< rank 0 only
};

} // namespace

struct Loop::State {
    State(forward::Transformer& model, comm::Communicator& communicator,
          const LoopOptions& loop_options, forward::Transformer* draft_model)
        : comm(communicator), options(loop_options), request(request_capacity(model.options())),
          reply(most(model, draft_model, own_reply_capacity)),
          replies(communicator.size(), most(model, draft_model, max_reply_capacity),
                  communicator.rank()),
          sequences(model.options().max_sequences, model.options().n_context, options),
          main(model, communicator, options),
          draft_rows(model.options().max_sequences, model.options().max_rows) {
        if (draft_model != nullptr) draft.emplace(*draft_model, communicator, options);
        plan.keeps.reserve(model.options().max_sequences * max_keeps);
        plan.samplings.reserve(model.options().max_sequences);
        plan.biases.reserve(model.options().max_sequences * max_biases);
        plan.rows.reserve(model.options().max_rows);
        plan.labels.reserve(model.options().max_logit_rows);
        timeline.collectives.reserve(std::max(
            max_collectives(model), draft_model == nullptr ? 0 : max_collectives(*draft_model)));
        const auto max_threads = static_cast<std::size_t>(model.team().size());
        timeline.barrier_s.reserve(max_threads);
        waited_before_s.reserve(max_threads);
    }

    /// Of one model or both, the larger.
    template <class SizeOf>
    std::size_t most(const forward::Transformer& model, const forward::Transformer* draft_model,
                     SizeOf size_of) const {
        return std::max(size_of(model, options),
                        draft_model == nullptr ? 0 : size_of(*draft_model, options));
    }
    Side& side() noexcept { return plan.is_draft ? *draft : main; }

    comm::Communicator& comm;
    LoopOptions options;
    StepObserver* observer = nullptr;
    std::vector<std::byte> request;
    std::vector<std::byte> reply;
    comm::GatherBuffer replies;
    Sequences sequences;
    Side main;
    std::optional<Side> draft;
    DraftRows draft_rows;
    StepPlan plan;
    std::span<const forward::Row> rows; ///< the plan's, by position in the cache of their model
    StepTimeline timeline;
    std::vector<double> waited_before_s; ///< (threads) at barriers, when the step began
    double propose_s = 0, sample_s = 0;  ///< of the last step, rank 0 only
    std::uint64_t n_steps = 0;

    // What ends the loop. `failure` is this rank's own; rank 0 requests the common stop.
    std::string failure;
    ExitCode failure_code = ExitCode::io;
    bool a_rank_failed = false;
    bool signalled = false;

    /// Of every thread, what it has waited at barriers so far.
    void note_waits(std::vector<double>& waited_s) const {
        const threads::Team& team = main.model.team();
        waited_s.clear();
        for (int thread = 0; thread < team.size(); ++thread)
            waited_s.push_back(team.waited_s(thread));
    }
    RequestHead make_request(Scheduler& scheduler);
    void compute();
    void read_replies(Scheduler& scheduler);
    void fail(Outcome outcome) {
        failure = std::move(outcome.sentence);
        failure_code = outcome.code;
        a_rank_failed = true;
    }
};

/// Rank 0 only. Ask the scheduler and write the broadcast.
RequestHead Loop::State::make_request(Scheduler& scheduler) {
    RequestHead head;
    head.step = n_steps;
    plan.clear();
    const Stopwatch watch;
    try {
        head.stop = a_rank_failed || !scheduler.next(plan) ? 1 : 0;
    } catch (...) {
        fail(outcome_of_exception());
        head.stop = 1;
    }
    propose_s = watch.elapsed_s();
    if (head.stop != 0) plan.clear();
    head.failed = a_rank_failed ? 1 : 0;
    head.signalled = signalled ? 1 : 0;
    head.phase = plan.phase;
    head.is_draft = plan.is_draft ? 1 : 0;
    head.n_keeps = static_cast<std::uint32_t>(plan.keeps.size());
    head.n_samplings = static_cast<std::uint32_t>(plan.samplings.size());
    head.n_biases = static_cast<std::uint32_t>(plan.biases.size());
    head.n_rows = static_cast<std::uint32_t>(plan.rows.size());
    head.has_labels = plan.labels.empty() ? 0 : 1;
    head.gather = observer != nullptr && head.stop == 0 && observer->wants_gather() ? 1 : 0;
    return head;
}

/// **Collective.** The forward pass, then this rank's reply to rank 0.
void Loop::State::compute() {
    forward::Transformer& transformer = side().model;
    for (const StepPlan::Keep& keep : plan.keeps) {
        if (plan.is_draft) draft_rows.begin(keep);
        if (keep.from < 0) {
            transformer.truncate(keep.sequence, keep.n_positions);
        } else {
            transformer.share(keep.sequence, keep.from, keep.n_positions);
            if (plan.is_draft) continue; // the model's own has brought the tokens
            sequences.share(keep.sequence, keep.from, static_cast<std::size_t>(keep.n_positions));
        }
    }
    for (const StepPlan::Sampling& sampling : plan.samplings) sequences.set_sampling(sampling);
    for (const StepPlan::Bias& bias : plan.biases) sequences.add_bias(bias);
    sequences.add(plan.rows);
    rows = plan.is_draft ? draft_rows.in_cache(plan.rows) : plan.rows;
    const std::span<const float> logits = transformer.forward(comm, rows);
    if (std::string error = transformer.take_error(); !error.empty()) {
        failure = std::move(error);
        failure_code = ExitCode::io;
    }
    MessageWriter message(reply);
    ReplyHead reply_head;
    reply_head.residual_hash = transformer.residual_hash();
    reply_head.failed = failure.empty() ? 0 : 1;
    reply_head.signalled = stop_requested() ? 1 : 0;
    message.put(reply_head);
    side().builder.write(plan, logits, sequences, message);
    comm.gather(message.message(), replies);
}

/// Rank 0 only.
void Loop::State::read_replies(Scheduler& scheduler) {
    const Stopwatch watch;
    OutcomeReader& reader = *side().reader;
    const OutcomeReader::Flags flags = reader.read(plan.rows, replies, sequences);
    sample_s = watch.elapsed_s();
    a_rank_failed |= flags.failed;
    signalled |= flags.signalled;
    if (flags.hashes_differ && !a_rank_failed) {
        std::string groups;
        for (int rank = 0; rank < comm.size(); ++rank)
            groups += fmt::format("{}rank {} on {} has {:016x}", rank == 0 ? "" : ", ", rank,
                                  comm.host(rank), reader.hashes()[static_cast<std::size_t>(rank)]);
        fail({ExitCode::disagree,
              fmt::format(
                  "step {}: the ranks' results differ ({}); check memory and overclocking of the "
                  "odd one out, and that all run the same binary",
                  n_steps, groups)});
    }
    if (a_rank_failed) return;
    try {
        scheduler.done(n_steps, plan, reader.outcomes(), signalled);
    } catch (...) {
        fail(outcome_of_exception());
    }
}

namespace {

/// While it lives, ranks wait for each other as long as a step may take, no longer.
class InSteps {
  public:
    explicit InSteps(comm::Communicator& comm) noexcept : comm_(comm) { comm_.set_in_steps(true); }
    ~InSteps() { comm_.set_in_steps(false); }
    InSteps(const InSteps&) = delete;
    InSteps& operator=(const InSteps&) = delete;

  private:
    comm::Communicator& comm_;
};

} // namespace

LoopOptions loop_options_for(const sampling::Parameters& sampling) {
    LoopOptions options;
    options.sampling = sampling;
    options.n_candidates = sampling::candidates_needed(sampling);
    options.full_logits = options.n_candidates == 0;
    if (options.full_logits) options.n_candidates = 1;
    return options;
}

Loop::Loop(forward::Transformer& transformer, comm::Communicator& comm, const LoopOptions& options,
           forward::Transformer* draft) {
    comm::agree(comm, [&] { state_ = std::make_unique<State>(transformer, comm, options, draft); });
}

Loop::~Loop() = default;

void Loop::observe(StepObserver* observer) noexcept {
    state_->observer = observer;
}
void Loop::set_tokens(std::int32_t sequence, std::span<const sampling::TokenId> tokens) noexcept {
    state_->sequences.set_tokens(sequence, tokens);
}
std::uint64_t Loop::n_steps() const noexcept {
    return state_->n_steps;
}

bool Loop::run(Scheduler* scheduler) {
    State& s = *state_;
    s.signalled = false;
    const InSteps in_steps(s.comm);
    const bool root = s.comm.is_root();
    for (;;) {
        std::size_t n_bytes = s.request.size();
        if (root) n_bytes = write_request(s.make_request(*scheduler), s.plan, s.request);
        s.timeline.collectives.clear();
        s.timeline.traffic = {};
        s.comm.record_into(&s.timeline);
        s.timeline.begin_s = monotonic_s();
        s.comm.broadcast(s.request, n_bytes);
        const RequestHead head = read_request(s.request, s.plan);
        if (head.stop != 0) {
            s.comm.record_into(nullptr);
            if (head.failed != 0)
                comm::agree(s.comm, [&] {
                    if (!s.failure.empty()) throw Error(s.failure_code, s.failure);
                });
            return head.signalled != 0;
        }
        const forward::Transformer& model = s.side().model;
        s.note_waits(s.waited_before_s);
        const std::uint64_t bytes_before = model.embedding_bytes_read();
        s.compute();
        s.timeline.end_s = monotonic_s();
        s.comm.record_into(nullptr);
        if (root) s.read_replies(*scheduler);
        if (s.observer != nullptr) {
            StepRecord record;
            record.step = head.step;
            record.phase = head.phase;
            count_rows(s.rows, record);
            record.is_draft = head.is_draft;
            record.n_pages = static_cast<std::uint32_t>(model.used_pages());
            for (const StepPlan::Keep& keep : s.plan.keeps)
                if (keep.from >= 0) record.n_shared += static_cast<std::uint32_t>(keep.n_positions);
            record.bytes_read = model.embedding_bytes_read() - bytes_before;
            s.timeline.layers_begin_s = model.layers_begin_s();
            s.note_waits(s.timeline.barrier_s);
            for (std::size_t i = 0; i < s.timeline.barrier_s.size(); ++i)
                s.timeline.barrier_s[i] =
                    std::max(0.0, s.timeline.barrier_s[i] - s.waited_before_s[i]);
            if (root) {
                const Scheduler::Proposals proposals = scheduler->proposals();
                record.n_proposed = proposals.n_proposed;
                record.n_accepted = proposals.n_accepted;
                record.propose_s = s.propose_s;
                record.sample_s = s.sample_s;
            }
            record.timeline = &s.timeline;
            s.observer->step(record);
            if (head.gather != 0) s.observer->gather();
        }
        ++s.n_steps;
    }
}

} // namespace pillar::engine
