// Collecting a journal's header, hosts, clocks, costs and end.

#include "scan.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>

namespace pillar::recording {

namespace {

void add_steps(JournalScan& found, const StepBlock& block) {
    std::uint64_t n_lost = 0;
    for (const RankSteps& rank : block.ranks) {
        TraceCost& cost = found.costs[rank.previous.after_step];
        if (rank.rank == 0) cost.seconds += rank.previous.seconds;
        cost.bytes += rank.previous.bytes;
        n_lost = std::max(n_lost, rank.n_lost);
        if (rank.rank >= found.n_threads.size()) continue;
        std::size_t& n_threads = found.n_threads[rank.rank];
        for (const StepHead& head : rank.heads)
            n_threads = std::max(n_threads, static_cast<std::size_t>(head.n_threads));
    }
    found.n_steps_lost = std::max(found.n_steps_lost, n_lost);
    if (block.ranks.size() != found.header.n_ranks) found.every_rank = false;
}

void add(JournalScan& found, const Record& record, const Origin& origin) {
    switch (record.type) {
    case RecordType::hosts: {
        HostList list = decode_hosts(record.payload, origin);
        list.hosts.resize(found.header.n_ranks);
        (list.moment == HostList::Moment::start ? found.hosts : found.hosts_end) =
            std::move(list.hosts);
        break;
    }
    case RecordType::clocks:
        found.clocks.push_back(decode_clocks(record.payload, origin));
        break;
    case RecordType::steps:
        add_steps(found, decode_steps(record.payload, origin));
        break;
    case RecordType::other_work:
        found.other_cpus = decode_other_work(record.payload, origin).cpus;
        break;
    case RecordType::end:
        found.end = decode_end(record.payload, origin);
        break;
    case RecordType::header:
    case RecordType::tokens:
    case RecordType::sequence:
        break;
    }
}

} // namespace

JournalScan scan_journal(JournalReader& journal, const std::string& path) {
    journal.rewind();
    JournalScan found;
    const auto first = journal.next();
    if (!first || first->type != RecordType::header) {
        throw FormatError(path, "header record", std::nullopt,
                          "is missing or damaged; nothing of this trace can be recovered");
    }
    found.header = decode_header(first->payload, journal.origin(*first));
    found.n_threads.resize(found.header.n_ranks);
    while (const auto record = journal.next()) {
        add(found, *record, journal.origin(*record));
        found.n_steps_cut = record->n_to_come;
    }
    found.n_bytes_damaged = journal.n_bytes_damaged();
    found.hosts.resize(found.header.n_ranks);
    found.hosts_end.resize(found.header.n_ranks);
    found.other_cpus.resize(found.header.n_ranks, trace::missing_number);
    return found;
}

} // namespace pillar::recording
