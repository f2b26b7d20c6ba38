#include "pillar/engine/loop.hpp"

#include "answer.hpp"
#include "message.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/timing.hpp"
#include "pillar/engine/signals.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

namespace pillar::engine {

const char* name_of(FinishReason reason) noexcept {
    switch (reason) {
    case FinishReason::none:
        return "none";
    case FinishReason::stop:
        return "stop";
    case FinishReason::length:
        return "length";
    case FinishReason::context_full:
        return "context_full";
    case FinishReason::signal:
        return "signal";
    }
    return "none";
}

void count_rows(std::span<const forward::Row> rows, StepRecord& record) noexcept {
    record.n_rows = static_cast<std::uint32_t>(rows.size());
    record.n_logits = 0;
    record.n_attended = record.n_cached = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto n_seen = static_cast<std::uint64_t>(rows[i].position) + 1;
        record.n_logits += rows[i].want_logits ? 1u : 0u;
        record.n_attended += n_seen;
        const auto is_same = [&](const forward::Row& row) {
            return row.sequence == rows[i].sequence;
        };
        // Rows of a sequence come in order: its last one sees all that is read.
        if (std::ranges::none_of(rows.subspan(i + 1), is_same)) record.n_cached += n_seen;
    }
}

namespace {

std::size_t order_capacity(const forward::Transformer& transformer) {
    const forward::TransformerOptions& options = transformer.options();
    return sizeof(OrderHead) +
           options.max_sequences * (sizeof(StepPlan::Keep) + sizeof(StepPlan::Sampling)) +
           options.max_rows * sizeof(OrderRow);
}

/// The broadcast's bytes.
std::size_t write_order(const OrderHead& head, const StepPlan& plan, std::span<std::byte> buffer) {
    MessageWriter message(buffer);
    message.put(head);
    message.put_all(std::span(plan.keeps));
    message.put_all(std::span(plan.samplings));
    for (const forward::Row& row : plan.rows)
        message.put(OrderRow{row.token, row.position, row.sequence, row.want_logits ? 1u : 0u});
    return message.size();
}

/// What the broadcast brought; fills `plan`.
OrderHead read_order(std::span<const std::byte> buffer, StepPlan& plan) {
    MessageReader message(buffer);
    const auto head = message.get<OrderHead>();
    plan.clear();
    plan.phase = head.phase;
    for (std::uint32_t k = 0; k < head.n_keeps; ++k)
        plan.keeps.push_back(message.get<StepPlan::Keep>());
    for (std::uint32_t k = 0; k < head.n_samplings; ++k)
        plan.samplings.push_back(message.get<StepPlan::Sampling>());
    for (std::uint32_t r = 0; r < head.n_rows; ++r) {
        const auto row = message.get<OrderRow>();
        plan.rows.push_back({row.token, row.position, row.sequence, row.want_logits != 0});
    }
    return head;
}

/// Rows of the vocabulary that the rank with the most of them owns: the same on every rank.
std::size_t most_rows(const partition::Sizes& sizes, const partition::Share& share) {
    std::size_t most = 0;
    for (int rank = 0; rank < share.n_ranks; ++rank)
        most = std::max(most, partition::vocabulary_of(sizes, share, rank).size());
    return most;
}

std::size_t own_capacity(const forward::Transformer& model, const LoopOptions& options) {
    return answer_capacity(model.share().vocabulary.size(), model.options().max_logit_rows,
                           options);
}

std::size_t most_capacity(const forward::Transformer& model, const LoopOptions& options) {
    return answer_capacity(most_rows(model.hyperparameters().sizes(), model.share()),
                           model.options().max_logit_rows, options);
}

} // namespace

std::uint64_t loop_bytes(const partition::Sizes& sizes, const partition::Share& share,
                         const forward::TransformerOptions& model_options,
                         const LoopOptions& options) {
    const std::size_t n_rows = model_options.max_logit_rows;
    const std::size_t most = answer_capacity(most_rows(sizes, share), n_rows, options);
    const std::uint64_t histories =
        model_options.max_sequences * model_options.n_context * sizeof(sampling::TokenId);
    const std::uint64_t of_every_rank =
        answer_capacity(share.vocabulary.size(), n_rows, options) +
        comm::GatherBuffer::size_bytes(share.n_ranks, most, share.rank) + histories +
        AdjustedLogits::size_bytes(share.vocabulary.size());
    if (share.rank != 0) return of_every_rank;
    return of_every_rank +
           OutcomeReader::size_bytes(sizes.vocab_size, n_rows, options, share.n_ranks);
}

std::size_t most_collectives(const forward::Transformer& model) noexcept {
    const std::size_t a_layer =
        forward::allreduces_a_layer(model.options().max_rows, model.share().n_ranks);
    return model.hyperparameters().n_layers * a_layer + 2;
}

struct Loop::State {
    State(forward::Transformer& model, comm::Communicator& communicator,
          const LoopOptions& loop_options)
        : transformer(model), comm(communicator), options(loop_options),
          order(order_capacity(model)), answer(own_capacity(model, options)),
          answers(communicator.size(), most_capacity(model, options), communicator.rank()),
          sequences(model.options().max_sequences, model.options().n_context, options.sampling),
          builder(model, options) {
        plan.keeps.reserve(model.options().max_sequences);
        plan.samplings.reserve(model.options().max_sequences);
        plan.rows.reserve(model.options().max_rows);
        timeline.collectives.reserve(most_collectives(model));
        comm.reserve(model.options().max_rows * model.hyperparameters().dim);
        if (comm.is_root()) reader.emplace(model, comm, options);
    }

    forward::Transformer& transformer;
    comm::Communicator& comm;
    LoopOptions options;
    StepObserver* observer = nullptr;
    std::vector<std::byte> order;
    std::vector<std::byte> answer;
    comm::GatherBuffer answers;
    Sequences sequences;
    AnswerBuilder builder;
    std::optional<OutcomeReader> reader; ///< rank 0 only
    StepPlan plan;
    StepTimeline timeline;
    std::uint64_t n_steps = 0;

    // What ends the loop. `failure` is this rank's own; rank 0 orders the common stop.
    std::string failure;
    ExitCode failure_code = ExitCode::io;
    bool a_rank_failed = false;
    bool signalled = false;

    OrderHead give_order(Scheduler& scheduler);
    void compute();
    void read_answers(Scheduler& scheduler);
    void fail(Outcome outcome) {
        failure = std::move(outcome.sentence);
        failure_code = outcome.code;
        a_rank_failed = true;
    }
};

/// Rank 0 only. Ask the scheduler and write the broadcast.
OrderHead Loop::State::give_order(Scheduler& scheduler) {
    OrderHead head;
    head.step = n_steps;
    plan.clear();
    try {
        head.stop = a_rank_failed || !scheduler.next(plan) ? 1 : 0;
    } catch (...) {
        fail(outcome_of_exception());
        head.stop = 1;
    }
    if (head.stop != 0) plan.clear();
    head.failed = a_rank_failed ? 1 : 0;
    head.signalled = signalled ? 1 : 0;
    head.phase = plan.phase;
    head.n_keeps = static_cast<std::uint32_t>(plan.keeps.size());
    head.n_samplings = static_cast<std::uint32_t>(plan.samplings.size());
    head.n_rows = static_cast<std::uint32_t>(plan.rows.size());
    head.gather = observer != nullptr && head.stop == 0 && observer->wants_gather() ? 1 : 0;
    return head;
}

/// **Collective.** The forward pass, then this rank's answer to rank 0.
void Loop::State::compute() {
    for (const StepPlan::Keep& keep : plan.keeps)
        transformer.truncate(keep.sequence, keep.n_positions);
    for (const StepPlan::Sampling& sampling : plan.samplings) sequences.set_sampling(sampling);
    sequences.add(plan.rows);
    const std::span<const float> logits = transformer.forward(comm, plan.rows);
    if (std::string error = transformer.take_error(); !error.empty()) {
        failure = std::move(error);
        failure_code = ExitCode::io;
    }
    MessageWriter message(answer);
    AnswerHead answer_head;
    answer_head.residual_hash = transformer.residual_hash();
    answer_head.failed = failure.empty() ? 0 : 1;
    answer_head.signalled = stop_requested() ? 1 : 0;
    message.put(answer_head);
    builder.write(plan.rows, logits, sequences, message);
    comm.gather(message.message(), answers);
}

/// Rank 0 only.
void Loop::State::read_answers(Scheduler& scheduler) {
    const OutcomeReader::Flags flags = reader->read(plan.rows, answers, sequences);
    a_rank_failed |= flags.failed;
    signalled |= flags.signalled;
    if (flags.hashes_differ && !a_rank_failed) {
        std::string groups;
        for (int rank = 0; rank < comm.size(); ++rank)
            groups +=
                fmt::format("{}rank {} on {} has {:016x}", rank == 0 ? "" : ", ", rank,
                            comm.host(rank), reader->hashes()[static_cast<std::size_t>(rank)]);
        fail({ExitCode::disagree,
              fmt::format(
                  "step {}: the ranks' results differ ({}); check memory and overclocking of the "
                  "odd one out, and that all run the same binary",
                  n_steps, groups)});
    }
    if (a_rank_failed) return;
    try {
        scheduler.done(n_steps, plan, reader->outcomes(), signalled);
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

Loop::Loop(forward::Transformer& transformer, comm::Communicator& comm,
           const LoopOptions& options) {
    comm::agree(comm, [&] { state_ = std::make_unique<State>(transformer, comm, options); });
}

Loop::~Loop() = default;

void Loop::observe(StepObserver* observer) noexcept {
    state_->observer = observer;
}
std::uint64_t Loop::n_steps() const noexcept {
    return state_->n_steps;
}

bool Loop::run(Scheduler* scheduler) {
    State& s = *state_;
    const InSteps in_steps(s.comm);
    const bool root = s.comm.is_root();
    for (;;) {
        std::size_t n_bytes = s.order.size();
        if (root) n_bytes = write_order(s.give_order(*scheduler), s.plan, s.order);
        s.timeline.collectives.clear();
        s.timeline.traffic = {};
        s.comm.record_into(&s.timeline);
        s.timeline.begin_s = monotonic_s();
        s.comm.broadcast(s.order, n_bytes);
        const OrderHead head = read_order(s.order, s.plan);
        if (head.stop != 0) {
            s.comm.record_into(nullptr);
            if (head.failed != 0)
                comm::agree(s.comm, [&] {
                    if (!s.failure.empty()) throw Error(s.failure_code, s.failure);
                });
            return head.signalled != 0;
        }
        const std::uint64_t bytes_before = s.transformer.embedding_bytes_read();
        s.compute();
        s.timeline.end_s = monotonic_s();
        s.comm.record_into(nullptr);
        if (root) s.read_answers(*scheduler);
        if (s.observer != nullptr) {
            StepRecord record;
            record.step = head.step;
            record.phase = head.phase;
            count_rows(s.plan.rows, record);
            record.bytes_read = s.transformer.embedding_bytes_read() - bytes_before;
            record.timeline = &s.timeline;
            s.observer->step(record);
            if (head.gather != 0) s.observer->gather();
        }
        ++s.n_steps;
    }
}

} // namespace pillar::engine
