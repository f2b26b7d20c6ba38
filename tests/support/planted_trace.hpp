#pragma once
// Journals from planted records, as rank 0 would have written them.

#include "journal/journal.hpp"
#include "journal/records.hpp"
#include "pillar/core/timing.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace pillar::support {

/// Append a step with its collectives to what a rank sends.
inline void plant_step(recording::RankSteps& rank, recording::StepHead head,
                       const std::vector<CollectiveTiming>& collectives) {
    head.n_collectives = collectives.size();
    rank.heads.push_back(head);
    double previous_end_s = head.begin_s;
    for (const CollectiveTiming& one : collectives) {
        rank.collectives.gap_s.push_back(static_cast<float>(one.begin_s - previous_end_s));
        rank.collectives.length_s.push_back(static_cast<float>(one.end_s - one.begin_s));
        rank.collectives.bytes.push_back(one.bytes);
        rank.collectives.kind.push_back(static_cast<std::uint8_t>(one.kind));
        previous_end_s = one.end_s;
    }
}

inline std::string encode_block_of(const std::vector<recording::RankSteps>& ranks) {
    std::vector<std::string> encoded;
    for (const recording::RankSteps& rank : ranks) encoded.push_back(recording::encode(rank));
    return recording::encode_block(encoded);
}

inline void append_tokens(recording::JournalWriter& journal,
                          const std::vector<recording::TokenEntry>& tokens) {
    journal.append(recording::RecordType::tokens, std::as_bytes(std::span(tokens)));
}

inline void append_end(recording::JournalWriter& journal, std::int32_t exit_code, double time_s) {
    const recording::End end{exit_code, 0, time_s};
    journal.append(recording::RecordType::end, std::as_bytes(std::span(&end, 1)));
}

/// A header like those of real runs.
inline recording::Header planted_header(std::uint32_t n_ranks) {
    recording::Header header;
    header.n_ranks = n_ranks;
    header.created_s = 1767225599; // 2025-12-31T23:59:59Z
    header.origin_s = 1000;
    header.title = "planted";
    header.software = "pillar";
    header.software_version = "0.1.0";
    header.git_revision = "abc";
    header.command_line = "pillar run -m tiny.gguf -p \"Grüße\"";
    header.config.set<"model">("tiny");
    header.config.set<"quantisation">("q8_0");
    header.config.set<"n_layers">(2);
    header.config.set<"temperature">(0.5);
    header.shares.resize(n_ranks);
    for (std::uint32_t rank = 0; rank < n_ranks; ++rank) {
        header.shares[rank].split_share = 1 + 0.5 * rank;
        header.shares[rank].layer_bytes = 1000 + 100 * rank;
        header.shares[rank].n_heads = 1 + rank;
    }
    return header;
}

inline recording::HostList planted_hosts(recording::HostList::Moment moment,
                                         std::uint32_t n_ranks) {
    recording::HostList list{moment, {}};
    for (std::uint32_t rank = 0; rank < n_ranks; ++rank) {
        recording::Host host;
        host.hostname = "pi" + std::to_string(rank + 1);
        host.board = "Raspberry Pi 4 Model B Rev 1.4";
        host.cpu = "Cortex-A72";
        host.affinity = "0-3";
        host.n_cores = 4;
        host.n_threads = 4;
        host.clock_hz = 1.5e9;
        host.temperature_c = moment == recording::HostList::Moment::start ? 40 : 60 + rank;
        host.memory_bytes = std::uint64_t{8} << 30;
        host.memory_available_bytes = std::uint64_t{7} << 30;
        list.hosts.push_back(host);
    }
    return list;
}

/// The n-th step (from 0) of two ranks: rank 1's clock is 10 s behind and waits in each all-reduce.
inline std::vector<recording::RankSteps> planted_step(std::uint64_t n) {
    std::vector<recording::RankSteps> ranks(2);
    ranks[1].rank = 1;
    const double t = 1001 + static_cast<double>(n);
    engine::StepCounts counts; // five rows, then one a step
    counts.step = n;
    counts.phase = n == 0 ? engine::Phase::prefill : engine::Phase::decode;
    counts.n_rows = n == 0 ? 5 : 1;
    counts.n_logits = 1;
    counts.n_attended = n == 0 ? 15 : 5 + n;
    counts.n_cached = 5 + n;
    counts.n_sequences = 1;
    counts.n_pages = static_cast<std::uint32_t>(2 + n);
    counts.n_shared = n == 0 ? 256 : 0;
    counts.n_proposed = n == 1 ? 3 : 0;
    counts.n_accepted = n == 1 ? 2 : 0;
    counts.is_draft = n == 2 ? 1 : 0;
    counts.bytes_read = 1000;
    plant_step(ranks[0],
               {.counts = counts,
                .begin_s = t,
                .end_s = t + 0.75,
                .trace_s = 0.0625,
                .traffic = {300, 3},
                .n_collectives = 0},
               {{t, t + 0.125, 16, CollectiveKind::broadcast},
                {t + 0.5, t + 0.625, 128, CollectiveKind::allreduce},
                {t + 0.625, t + 0.75, 24, CollectiveKind::gather}});
    counts.bytes_read = 2000;
    plant_step(ranks[1],
               {.counts = counts,
                .begin_s = t - 10.0625,
                .end_s = t - 10 + 0.6875,
                .trace_s = 0,
                .traffic = {200, 2},
                .n_collectives = 0},
               {{t - 10.0625, t - 10 + 0.1875, 16, CollectiveKind::broadcast},
                {t - 10 + 0.25, t - 10 + 0.625, 128, CollectiveKind::allreduce},
                {t - 10 + 0.625, t - 10 + 0.6875, 24, CollectiveKind::gather}});
    return ranks;
}

inline void append_clocks(recording::JournalWriter& journal, double time_s) {
    journal.append(recording::RecordType::clocks,
                   recording::encode(recording::ClockSample{time_s, {{0, 0}, {10, 0.03125}}}));
}

inline void append_step(recording::JournalWriter& journal, std::uint64_t n,
                        recording::Cost previous) {
    auto ranks = planted_step(n);
    ranks[0].previous = previous;
    ranks[1].previous = {previous.after_step, 5 * previous.seconds, 2 * previous.bytes};
    journal.append(recording::RecordType::steps, encode_block_of(ranks));
}

/// A run of three steps, a gather after each.
inline void write_planted_run(const std::string& path) {
    recording::JournalWriter journal(path, false);
    journal.append(recording::RecordType::header, recording::encode(planted_header(2)));
    journal.append(recording::RecordType::hosts,
                   recording::encode(planted_hosts(recording::HostList::Moment::start, 2)));
    append_clocks(journal, 1000);
    append_step(journal, 0, {recording::before_first_step, 0.5, 700});
    append_tokens(journal, {{0, 0.25, 0, 4, 17, static_cast<float>(trace::missing_number), 0, 0},
                            {1, 0.75, 0, 5, 42, -0.5F, 1, 0}});
    append_clocks(journal, 1002);
    append_step(journal, 1, {0, 0.125, 40});
    append_step(journal, 2, {1, 0.25, 50});
    journal.append(recording::RecordType::sequence,
                   recording::encode(engine::SequenceRecord{0, "Grüße", "an\nalle", 5, 2, 0.75,
                                                            engine::FinishReason::length}));
    journal.append(recording::RecordType::hosts,
                   recording::encode(planted_hosts(recording::HostList::Moment::end, 2)));
    append_end(journal, 75, 1010);
}

} // namespace pillar::support
