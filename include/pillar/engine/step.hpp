#pragma once
// One step = one forward pass of all ranks: what rank 0 requests (StepPlan, carried by the
// broadcast), what comes back to it (StepOutcome, carried by the gather), and what every rank
// remembers of it (StepRecord, for observers).

#include "pillar/core/timing.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/sampling/sampling.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace pillar::engine {

enum class Phase : std::uint8_t { prefill, decode };

/// Why a generation ended; the values are stored in traces.
enum class FinishReason : std::uint8_t { none, stop, length, context_full, signal };
const char* name_of(FinishReason reason) noexcept;

/// Changes of pages that a plan may have for each sequence.
inline constexpr std::size_t max_keeps = 4;
/// Logits that one sequence may raise or lower (logit_bias).
inline constexpr std::size_t max_biases = 300;

/// What rank 0 requests, carried whole by the one broadcast of the step: which rows to compute, and
/// before that, which sequences to shorten or to begin with another's pages and how to sample new
/// ones. Cache pages, histories and
/// penalties follow it on every rank.
struct StepPlan {
    struct Keep {
        std::int32_t sequence = 0;
        std::int32_t n_positions = 0; ///< what stays of it; 0 frees its slot
        /// −1: its own. Else it is empty and begins with so many positions, whole pages, of this
        /// other one, whose tokens are the same.
        std::int32_t from = -1;
        /// Of the draft model, whose cache need not have a sequence's beginning: the position in it
        /// that is the cache's first.
        std::int32_t first = 0;
    };
    struct Sampling {
        std::int32_t sequence = 0;
        std::uint16_t n_candidates = 1; ///< of each rank; 0: its whole rows (max_full_rows)
        std::uint8_t is_banned = 1;     ///< LoopOptions::banned holds for it
        std::uint8_t wants_log_sum = 1; ///< where LoopOptions::log_sums
        sampling::Parameters parameters;
    };
    /// Of a sequence that starts, after its Sampling: added to the logit of a token.
    struct Bias {
        std::int32_t sequence = 0;
        std::int32_t id = 0;
        float value = 0;
    };
    Phase phase = Phase::prefill; ///< decode only when every row continues an answer
    /// A step of the draft model (Loop's second one): pages, and what stays of them, are those of
    /// its cache; tokens, positions of rows and sampling those of the model's sequences.
    bool is_draft = false;
    std::vector<Keep> keeps;         ///< first, in order; at most max_keeps a sequence
    std::vector<Sampling> samplings; ///< of sequences that start or change; others stay as they are
    std::vector<Bias> biases;
    std::vector<forward::Row>
        rows; ///< at most max_rows, at most max_logit_rows of them with want_logits, and at most
              ///< max_full_rows of these of sequences that ask for whole rows
    /// None, or one for each row with want_logits: the id that follows it in a given text. Ranks
    /// then send that id's logit as the row's only candidate, without looking for a better one.
    std::vector<sampling::TokenId> labels;

    void clear() noexcept {
        is_draft = false;
        keeps.clear();
        samplings.clear();
        biases.clear();
        rows.clear();
        labels.clear();
    }
};

/// What a step computed. Each is a column of traces: src/trace/fields.cpp has a line for it.
struct StepCounts {
    std::uint64_t step = 0;
    std::uint64_t n_attended = 0; ///< pairs of a row and a position that it sees
    std::uint64_t n_cached = 0;   ///< positions of all sequences that some row sees
    std::uint64_t bytes_read = 0; ///< file bytes (embedding rows) that this rank read
    std::uint32_t n_rows = 0;
    std::uint32_t n_logits = 0;
    std::uint32_t n_sequences = 0; ///< that have rows
    std::uint32_t n_pages = 0;     ///< of the model's cache that sequences hold after the step
    std::uint32_t n_shared = 0;    ///< positions that sequences begin with and that others computed
    std::uint32_t n_proposed = 0;  ///< rows whose tokens were proposed; rank 0 alone knows
    std::uint32_t n_accepted = 0;  ///< of these: the tokens that were picked; likewise
    Phase phase = Phase::prefill;
    std::uint8_t is_draft = 0;    ///< 1: a step of the draft model
    std::uint8_t padding[2] = {}; ///< so that no byte of a journal is undefined
};
static_assert(std::has_unique_object_representations_v<StepCounts>);

/// What every rank remembers of one step. Timeline times are of this rank's own clock. A step
/// begins when the rank enters the broadcast (on rank 0: when the plan is made) and ends when its
/// reply is gathered; what rank 0 does between two steps (picking, printing, asking a user) is the
/// others' wait in the broadcast.
struct StepRecord : StepCounts {
    double propose_s = 0; ///< rank 0: what the scheduler took before it: proposals, admissions
    double sample_s = 0;  ///< rank 0: what putting the ranks' candidates together took after it
    const StepTimeline* timeline = nullptr; ///< valid during the call only
};

/// Fill in n_rows, n_logits, n_sequences, n_attended and n_cached of a step of these rows.
void count_rows(std::span<const forward::Row> rows, StepCounts& counts) noexcept;

/// A token that rank 0 accepted: a prompt token when it was fed, a generated one when it was
/// picked.
struct TokenRecord {
    std::uint64_t step = 0;
    std::int32_t sequence = 0;
    std::int32_t position = 0;
    std::int32_t id = 0;
    Phase phase = Phase::prefill;
    double latency_s = 0; ///< since the sequence's previous token (its start for the first)
    float logprob = 0;    ///< from raw logits, before penalties; NaN for prompt tokens
    double sample_s = 0;  ///< what choosing it took
};

struct SequenceRecord {
    std::int32_t sequence = 0;
    std::string prompt;
    std::string completion;
    std::uint32_t n_prompt = 0;
    std::uint32_t n_generated = 0;
    double ttft_s = 0; ///< time to first token
    FinishReason finish_reason = FinishReason::none;
};

/// Watches the steps of a run: the trace. The engine knows nothing about files.
class StepObserver {
  public:
    virtual ~StepObserver() = default;
    /// Every rank, after each step, outside the timed region. No communication, no allocation.
    virtual void step(const StepRecord& record) = 0;
    /// Rank 0 only. Should the ranks gather their records before the next step?
    [[nodiscard]] virtual bool wants_gather() const = 0;
    /// Collective. Outside the timed region.
    virtual void gather() = 0;
    /// Rank 0 only.
    virtual void token(const TokenRecord& record) = 0;
    /// Rank 0 only.
    virtual void sequence(const SequenceRecord& record) = 0;
};

} // namespace pillar::engine
