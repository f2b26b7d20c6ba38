#pragma once
// What the journal holds, record by record. Structs that are stored as they lie are trivially
// copyable, without padding and little-endian; texts and lists are preceded by their length. Times
// are seconds of the writing rank's own monotonic clock until convert puts them on one axis.

#include "pillar/comm/clock_offset.hpp"
#include "pillar/engine/step.hpp"
#include "pillar/trace/configuration.hpp"
#include "pillar/trace/rows.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pillar::recording {

inline constexpr std::uint32_t journal_version = 4; ///< 4: threads, layers, sensors

enum class RecordType : std::uint32_t {
    header = 1, ///< Header, first
    hosts,      ///< HostList, at the start and at the end
    clocks,     ///< ClockSample, at the start, at every gather and at the end
    steps,      ///< StepBlock, one a step
    tokens,     ///< TokenEntry…
    sequence,   ///< engine::SequenceRecord
    end,        ///< End, last, when the run came to its end
    other_work, ///< OtherWork, before the end
};

/// How the run was made.
struct Header {
    std::uint32_t version = journal_version;
    std::uint32_t n_ranks = 1;
    double created_s = 0; ///< UTC, seconds since the epoch
    double origin_s = 0;  ///< rank 0's clock at the same moment: t = 0 of the trace
    std::string title;
    std::string software;
    std::string software_version;
    std::string git_revision;
    std::string command_line;
    trace::Configuration config;
    std::vector<trace::RankShare> shares; ///< one a rank; none: not known
};

/// One rank's machine at one moment. What could not be read: empty text, 0, NaN.
struct Host {
    std::string hostname;
    std::string board;    ///< "Raspberry Pi 4 Model B Rev 1.4"
    std::string cpu;      ///< "Cortex-A72"
    std::string kernel;   ///< "6.1.0-rpi7-rpi-v8"
    std::string governor; ///< of the clock: "performance"
    std::string affinity; ///< cores this rank may use: "0-3"
    std::uint32_t n_cores = 0;
    std::uint32_t n_threads = 0;
    double clock_hz = trace::missing_number; ///< mean over the cores
    double temperature_c = trace::missing_number;
    std::uint32_t throttled = 0; ///< the Raspberry Pi firmware's bits
    std::uint64_t memory_bytes = 0;
    std::uint64_t memory_available_bytes = 0;
    std::uint64_t memory_peak_bytes = 0; ///< most that the process has held
};

struct HostList {
    enum class Moment : std::uint32_t { start, end };
    Moment moment = Moment::start;
    std::vector<Host> hosts; ///< one a rank
};

/// Clock offsets of all ranks, measured at `time_s` of rank 0's clock.
struct ClockSample {
    double time_s = 0;
    std::vector<comm::ClockOffset> offsets; ///< one a rank
};

/// A step that has no number: what tracing cost before the first one.
inline constexpr std::uint64_t before_first_step = ~std::uint64_t{0};

/// What tracing cost a rank between two steps.
struct Cost {
    std::uint64_t after_step = before_first_step;
    double seconds = 0;
    std::uint64_t bytes = 0; ///< sent by this rank
};

/// A step on one rank, without its collectives.
struct StepHead {
    engine::StepCounts counts;
    double begin_s = 0;
    double end_s = 0;
    double trace_s = 0; ///< spent on tracing after the step, gathers apart
    double layers_begin_s = trace::missing_number; ///< since begin_s; NaN: not noted
    double propose_s = 0;                          ///< rank 0
    double sample_s = 0;                           ///< rank 0
    Traffic traffic;
    std::uint64_t n_collectives = 0;
    std::uint64_t n_threads = 0;
};

/// Collectives of many steps, in order, as four lists. A gap is the time since the previous
/// collective's end (the step's begin for its first). f32: 6e-8 of the value, far below what clocks
/// of two hosts agree to.
struct CollectiveColumns {
    std::vector<float> gap_s;
    std::vector<float> length_s;
    std::vector<std::uint32_t> bytes;
    std::vector<std::uint8_t> kind; ///< CollectiveKind
};

/// What a rank's machine told at one moment. NaN: it does not tell.
struct SensorSample {
    double time_s = 0;                       ///< of the rank's clock
    double clock_hz = trace::missing_number; ///< mean over the cores
    double temperature_c = trace::missing_number;
    double supply_v = trace::missing_number;
    double power_w = trace::missing_number;
    std::uint64_t resident_bytes = 0; ///< of the process
    std::uint64_t throttled = 0;      ///< the Raspberry Pi firmware's bits
};

/// What one rank sends at a gather.
struct RankSteps {
    std::uint32_t rank = 0;
    Cost previous;            ///< of the gather before
    std::uint64_t n_lost = 0; ///< steps so far for which there was no room
    std::vector<StepHead> heads;
    CollectiveColumns collectives;
    std::vector<float> barrier_s;      ///< step by step, of each of its threads
    std::vector<SensorSample> sensors; ///< since the gather before
};

/// Steps of every rank that could send them, rank 0 first.
struct StepBlock {
    std::vector<RankSteps> ranks;
};

struct TokenEntry {
    std::uint64_t step = 0;
    double latency_s = 0;
    std::int32_t sequence = 0;
    std::int32_t position = 0;
    std::int32_t id = 0;
    float logprob = 0;
    std::uint32_t phase = 0;
    std::uint32_t unused = 0;
};

/// How busy other programs kept each rank's machine during the run.
struct OtherWork {
    std::vector<double> cpus; ///< in the mean, one a rank; NaN: not told
};

struct End {
    std::int32_t exit_code = 0;
    std::uint32_t unused = 0;
    double time_s = 0;
};

// Payloads. decode throws FormatError(file, offset) when a record with a good checksum makes no
// sense.

/// Where a record came from, for error sentences.
struct Origin {
    std::string file;
    std::uint64_t offset = 0;
};

[[nodiscard]] std::string encode(const Header& header);
[[nodiscard]] std::string encode(const HostList& hosts);
[[nodiscard]] std::string encode(const Host& host);
[[nodiscard]] std::string encode(const ClockSample& sample);
[[nodiscard]] std::string encode(const OtherWork& work);
[[nodiscard]] std::string encode(const RankSteps& steps);
/// A block from the ranks' own encodings.
[[nodiscard]] std::string encode_block(std::span<const std::string> ranks);
/// A gather's block as one block for each of rank 0's steps, in order, so that a journal which is
/// cut loses no more than it must; the costs of the gather before go with the first. At least one.
[[nodiscard]] std::vector<std::string> blocks_by_step(const StepBlock& gathered);
[[nodiscard]] std::string encode(const engine::SequenceRecord& sequence);

[[nodiscard]] Header decode_header(std::span<const std::byte> payload, const Origin& origin);
[[nodiscard]] HostList decode_hosts(std::span<const std::byte> payload, const Origin& origin);
[[nodiscard]] Host decode_host(std::span<const std::byte> payload, const Origin& origin);
[[nodiscard]] ClockSample decode_clocks(std::span<const std::byte> payload, const Origin& origin);
[[nodiscard]] OtherWork decode_other_work(std::span<const std::byte> payload, const Origin& origin);
[[nodiscard]] StepBlock decode_steps(std::span<const std::byte> payload, const Origin& origin);
[[nodiscard]] std::vector<TokenEntry> decode_tokens(std::span<const std::byte> payload,
                                                    const Origin& origin);
[[nodiscard]] engine::SequenceRecord decode_sequence(std::span<const std::byte> payload,
                                                     const Origin& origin);
[[nodiscard]] End decode_end(std::span<const std::byte> payload, const Origin& origin);

} // namespace pillar::recording
