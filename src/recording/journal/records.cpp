// Payloads of the journal's records but the header, field by field in the order of their structs.

#include "journal/records.hpp"

#include "packing.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

namespace pillar::recording {

static_assert(sizeof(TokenEntry) == 40 && sizeof(Cost) == 24 && sizeof(End) == 16 &&
              sizeof(SensorSample) == 56);

namespace {

void pack(Packer& out, const Host& host) {
    out.text(host.hostname);
    out.text(host.board);
    out.text(host.cpu);
    out.text(host.kernel);
    out.text(host.governor);
    out.text(host.affinity);
    out.value(host.n_cores);
    out.value(host.n_threads);
    out.value(host.clock_hz);
    out.value(host.temperature_c);
    out.value(host.throttled);
    out.value(host.memory_bytes);
    out.value(host.memory_available_bytes);
    out.value(host.memory_peak_bytes);
}

Host unpack_host(Unpacker& in) {
    Host host;
    host.hostname = in.text();
    host.board = in.text();
    host.cpu = in.text();
    host.kernel = in.text();
    host.governor = in.text();
    host.affinity = in.text();
    host.n_cores = in.value<std::uint32_t>();
    host.n_threads = in.value<std::uint32_t>();
    host.clock_hz = in.value<double>();
    host.temperature_c = in.value<double>();
    host.throttled = in.value<std::uint32_t>();
    host.memory_bytes = in.value<std::uint64_t>();
    host.memory_available_bytes = in.value<std::uint64_t>();
    host.memory_peak_bytes = in.value<std::uint64_t>();
    return host;
}

RankSteps unpack_rank(std::span<const std::byte> bytes, const Origin& origin) {
    Unpacker in(bytes, origin, "steps");
    RankSteps steps;
    steps.rank = in.value<std::uint32_t>();
    steps.previous = in.value<Cost>();
    steps.n_lost = in.value<std::uint64_t>();
    steps.heads = in.list<StepHead>();
    CollectiveColumns& columns = steps.collectives;
    columns.gap_s = in.list<float>();
    columns.length_s = in.list<float>();
    columns.bytes = in.list<std::uint32_t>();
    columns.kind = in.list<std::uint8_t>();
    steps.barrier_s = in.list<float>();
    steps.sensors = in.list<SensorSample>();
    in.expect_end();
    std::uint64_t n = 0, n_threads = 0;
    for (const StepHead& head : steps.heads) {
        n += head.n_collectives;
        n_threads += head.n_threads;
        if (head.counts.phase > engine::Phase::decode) in.fail();
    }
    for (const std::uint8_t kind : columns.kind) {
        if (kind > static_cast<std::uint8_t>(CollectiveKind::gather)) in.fail();
    }
    if (columns.gap_s.size() != n || columns.length_s.size() != n || columns.bytes.size() != n ||
        columns.kind.size() != n || steps.barrier_s.size() != n_threads) {
        in.fail();
    }
    return steps;
}

} // namespace

std::string encode(const Host& host) {
    Packer out;
    pack(out, host);
    return out.take();
}

Host decode_host(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "host");
    Host host = unpack_host(in);
    in.expect_end();
    return host;
}

std::string encode(const HostList& hosts) {
    Packer out;
    out.value(hosts.moment);
    out.value<std::uint64_t>(hosts.hosts.size());
    for (const Host& host : hosts.hosts) pack(out, host);
    return out.take();
}

HostList decode_hosts(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "hosts");
    HostList hosts;
    hosts.moment = in.value<HostList::Moment>();
    if (hosts.moment > HostList::Moment::end) in.fail();
    const std::size_t n = in.count(6 * sizeof(std::uint64_t));
    for (std::size_t i = 0; i < n; ++i) hosts.hosts.push_back(unpack_host(in));
    in.expect_end();
    return hosts;
}

std::string encode(const ClockSample& sample) {
    Packer out;
    out.value(sample.time_s);
    out.list(sample.offsets);
    return out.take();
}

ClockSample decode_clocks(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "clocks");
    ClockSample sample;
    sample.time_s = in.value<double>();
    sample.offsets = in.list<comm::ClockOffset>();
    in.expect_end();
    return sample;
}

std::string encode(const OtherWork& work) {
    Packer out;
    out.list(work.cpus);
    return out.take();
}

OtherWork decode_other_work(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "other work");
    OtherWork work{in.list<double>()};
    in.expect_end();
    return work;
}

std::string encode(const RankSteps& steps) {
    Packer out;
    out.value(steps.rank);
    out.value(steps.previous);
    out.value(steps.n_lost);
    out.list(steps.heads);
    out.list(steps.collectives.gap_s);
    out.list(steps.collectives.length_s);
    out.list(steps.collectives.bytes);
    out.list(steps.collectives.kind);
    out.list(steps.barrier_s);
    out.list(steps.sensors);
    return out.take();
}

std::string encode_block(std::span<const std::string> ranks) {
    Packer out;
    out.value<std::uint64_t>(ranks.size());
    for (const std::string& rank : ranks) out.text(rank);
    return out.take();
}

StepBlock decode_steps(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "steps");
    StepBlock block;
    const std::size_t n = in.count(sizeof(std::uint64_t));
    for (std::size_t i = 0; i < n; ++i) {
        const auto bytes = in.bytes();
        block.ranks.push_back(unpack_rank(bytes, origin));
    }
    in.expect_end();
    return block;
}

std::vector<TokenEntry> decode_tokens(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "tokens");
    std::vector<TokenEntry> tokens = in.rest<TokenEntry>();
    for (const TokenEntry& token : tokens) {
        if (token.phase > static_cast<std::uint32_t>(engine::Phase::decode)) in.fail();
    }
    return tokens;
}

std::string encode(const engine::SequenceRecord& sequence) {
    Packer out;
    out.value(sequence.sequence);
    out.value(sequence.n_prompt);
    out.value(sequence.n_generated);
    out.value(sequence.ttft_s);
    out.value(sequence.finish_reason);
    out.text(sequence.prompt);
    out.text(sequence.completion);
    return out.take();
}

engine::SequenceRecord decode_sequence(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "sequence");
    engine::SequenceRecord sequence;
    sequence.sequence = in.value<std::int32_t>();
    sequence.n_prompt = in.value<std::uint32_t>();
    sequence.n_generated = in.value<std::uint32_t>();
    sequence.ttft_s = in.value<double>();
    sequence.finish_reason = in.value<engine::FinishReason>();
    if (sequence.finish_reason > engine::FinishReason::signal) in.fail();
    sequence.prompt = in.text();
    sequence.completion = in.text();
    in.expect_end();
    return sequence;
}

End decode_end(std::span<const std::byte> payload, const Origin& origin) {
    Unpacker in(payload, origin, "end");
    const End end = in.value<End>();
    in.expect_end();
    return end;
}

} // namespace pillar::recording
