// Step collectives over point-to-point messages.

#include "mpi_communicator.hpp"

#include "mpi_error.hpp"
#include "packing.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/binding.hpp"
#include "pillar/comm/environment.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/core.h>
#include <limits>

namespace pillar::comm {

namespace {

/// Looking at the sockets more often than this moves nothing more.
constexpr double min_advance_s = 60e-6;
/// Open MPI looks at its sockets in every eighth call only.
constexpr int polls_per_advance = 8;

} // namespace

MpiCommunicator::MpiCommunicator(MPI_Comm parent, LivenessProbe& probe, Algorithm algorithm,
                                 Wire wire, const std::optional<NetworkModel>& emulated,
                                 const WatchLimits& limits)
    : channel_(parent), choice_(only(algorithm)), allreduce_(channel_, wire),
      tree_(binomial_tree(rank(), size())),
      by_rank_(tree_.children.rbegin(), tree_.children.rend()) {
    if (wire != Wire::f32) exact_.emplace(channel_, Wire::f32);
    if (size() > 1) watchdog_.emplace(probe, &channel_, limits);
    const std::vector<RankCpus> ranks = connect(probe);
    yields_ = is_oversubscribed(ranks, rank());
    if (emulated) emulate(*emulated, ranks);
}

std::vector<RankCpus> MpiCommunicator::connect(LivenessProbe& probe) {
    {
        Backoff waiting = backoff(monotonic_s(), idle_sleep_after_s);
        while (!probe.has_greeted_all()) waiting.pause();
    }
    Backoff waiting = backoff(monotonic_s(), idle_sleep_after_s);
    channel_.open(waiting);
    std::vector<RankCpus> ranks = all_cpus(*this);
    std::vector<std::string> hosts;
    for (const RankCpus& cpus : ranks) hosts.push_back(cpus.host);
    channel_.set_hosts(std::move(hosts));
    if (watchdog_) watchdog_->set_stage(Stage::setup);
    return ranks;
}

/// The same refusal on all ranks.
void MpiCommunicator::emulate(const NetworkModel& network, std::span<const RankCpus> ranks) {
    if (choice_.longer == Algorithm::mpi) {
        throw AgreedError(ExitCode::usage,
                          "--emulate-network does not go with --allreduce mpi, whose messages are "
                          "Open MPI's own: use another");
    }
    for (const RankCpus& cpus : ranks) {
        if (cpus.machine == ranks[0].machine) continue;
        throw AgreedError(
            ExitCode::usage,
            fmt::format(
                "--emulate-network needs all ranks on one machine, but there are {} and {}: "
                "leave it out to use the network between them",
                ranks[0].host, cpus.host));
    }
    channel_.emulate(network);
}

void MpiCommunicator::reserve(Allreduce& with, std::size_t max_floats) {
    if (size() == 1) return;
    with.reserve(choice_.shorter, std::min(choice_.max_shorter, max_floats));
    with.reserve(choice_.longer, max_floats);
}

void MpiCommunicator::set_in_steps(bool in_steps) noexcept {
    if (watchdog_) watchdog_->set_stage(in_steps ? Stage::steps : Stage::setup);
}

void MpiCommunicator::set_allreduces_a_layer(std::size_t n) noexcept {
    if (watchdog_) watchdog_->set_allreduces_a_layer(static_cast<std::uint32_t>(n));
}

void MpiCommunicator::heartbeat() noexcept {
    if (!watchdog_) return;
    watchdog_->heartbeat();
    count_other(watchdog_->take_sent());
}

Backoff MpiCommunicator::backoff(double begin_s, double sleep_after_s) noexcept {
    if (!watchdog_) return {begin_s, sleep_after_s, yields_, nullptr, nullptr};
    const PollHook hook = [](void* watchdog, double since_s) {
        static_cast<Watchdog*>(watchdog)->poll(since_s);
    };
    return {begin_s, sleep_after_s, yields_, hook, &*watchdog_};
}

void MpiCommunicator::step(CollectiveKind kind,
                           FunctionRef<std::size_t(double begin_s)> body) noexcept {
    const double begin_s = monotonic_s();
    std::size_t n_bytes = 0;
    if (watchdog_) watchdog_->enter(kind, begin_s);
    try {
        n_bytes = body(begin_s);
    } catch (const Error& error) {
        log::error("{}", error.what());
        abort_job(error.code());
    }
    const double end_s = monotonic_s();
    if (watchdog_) {
        watchdog_->leave(end_s);
        count_other(watchdog_->take_sent());
    }
    note_step({begin_s, end_s, static_cast<std::uint32_t>(n_bytes), kind}, channel_.take_sent());
    count_other(channel_.take_stamps());
}

void MpiCommunicator::sum(Allreduce& with, std::span<float> values) {
    step(CollectiveKind::allreduce, [&](double begin_s) {
        const Algorithm algorithm = choice_.of(values.size());
        if (algorithm == Algorithm::mpi) {
            sum_by_mpi(values);
        } else {
            with.start(algorithm, values);
            Backoff waiting = backoff(begin_s, step_sleep_after_s);
            with.finish(waiting);
        }
        return values.size_bytes();
    });
}

void MpiCommunicator::guarded(FunctionRef<void()> body) noexcept {
    try {
        body();
    } catch (const Error& error) {
        log::error("{}", error.what());
        abort_job(error.code());
    }
}

void MpiCommunicator::start(Allreduce& with, std::span<float> values) {
    started_ = values;
    moving_ = &with;
    const Algorithm algorithm = choice_.of(values.size());
    if (algorithm == Algorithm::mpi) return; // at the end, all at once
    guarded([&] { with.start(algorithm, values); });
    advanced_s_ = monotonic_s();
}

void MpiCommunicator::advance_allreduce() noexcept {
    const double now_s = monotonic_s();
    if (now_s - advanced_s_ < min_advance_s) return;
    guarded([&] {
        for (int i = 0; i < polls_per_advance && !moving_->advance(); ++i) {
        }
    });
    advanced_s_ = monotonic_s();
}

void MpiCommunicator::finish_allreduce() {
    if (choice_.of(started_.size()) == Algorithm::mpi) return allreduce(started_);
    step(CollectiveKind::allreduce, [&](double begin_s) {
        Backoff waiting = backoff(begin_s, step_sleep_after_s);
        moving_->finish(waiting);
        return started_.size_bytes();
    });
}

void MpiCommunicator::sum_by_mpi(std::span<float> values) {
    expects(values.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()),
            "an all-reduce has fewer than 2^31 values");
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT,
                            MPI_SUM, channel_.handle()),
              "MPI_Allreduce");
    channel_.count(allreduce_traffic(Algorithm::mpi, Wire::f32, rank(), size(), values.size()));
}

std::size_t MpiCommunicator::broadcast(std::span<std::byte> buffer, std::size_t n_bytes) {
    std::size_t length = n_bytes;
    step(CollectiveKind::broadcast, [&](double begin_s) {
        Backoff waiting = backoff(begin_s, idle_sleep_after_s);
        if (tree_.parent >= 0) {
            channel_.receive(tree_.parent, Tag::broadcast, buffer);
            channel_.wait(waiting);
            length = channel_.n_received(0);
        }
        expects(length <= buffer.size(), "a broadcast message fits its buffer");
        for (const int child : tree_.children) {
            channel_.send(child, Tag::broadcast, buffer.first(length));
        }
        channel_.wait(waiting);
        return length;
    });
    return length;
}

void MpiCommunicator::gather(std::span<const std::byte> message, GatherBuffer& all) {
    // Each child's subtree has its place in the buffer, at the offset where it lies if all messages
    // are as long as the capacity: so all receives can be posted at once.
    const std::size_t slot = all.capacity() + gather_header_bytes;
    const std::span<std::byte> storage = all.storage();
    expects(message.size() <= all.capacity(), "a gathered message fits its capacity");
    expects(storage.size() >= slot * static_cast<std::size_t>(subtree_size(rank(), size())),
            "a gather buffer is made for this rank and number of ranks");
    const auto offset_of = [&](int child) {
        return static_cast<std::size_t>(child - rank()) * slot;
    };

    step(CollectiveKind::gather, [&](double begin_s) {
        Backoff waiting = backoff(begin_s, step_sleep_after_s);
        for (const int child : by_rank_) {
            const auto n_ranks = static_cast<std::size_t>(subtree_size(child, size()));
            channel_.receive(child, Tag::gather, storage.subspan(offset_of(child), n_ranks * slot));
        }
        write_gather_header(storage, rank(), message.size());
        if (!message.empty()) {
            std::memcpy(storage.data() + gather_header_bytes, message.data(), message.size());
        }
        channel_.wait(waiting);

        if (is_root()) all.set(0, gather_header_bytes, message.size());
        std::size_t end = gather_header_bytes + message.size();
        std::size_t index = 0;
        for (const int child : by_rank_) {
            const auto packed = storage.subspan(offset_of(child), channel_.n_received(index++));
            if (is_root()) {
                unpack_gather(packed, size(), [&](int from, std::size_t offset, std::size_t n) {
                    all.set(from, offset_of(child) + offset, n);
                });
            } else {
                std::memmove(storage.data() + end, packed.data(), packed.size());
                end += packed.size();
            }
        }
        if (!is_root()) {
            channel_.send(tree_.parent, Tag::gather, storage.first(end));
            channel_.wait(waiting);
        }
        return message.size();
    });
}

} // namespace pillar::comm
