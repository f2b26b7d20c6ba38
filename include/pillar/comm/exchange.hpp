#pragma once
// The setup collectives over values instead of bytes: a plain value, a list of them, a list of
// texts. They travel as they lie in memory; all ranks run the same build. A message that cannot
// be what was asked for throws Error(disagree), which names the rank that sent it.

#include "pillar/comm/communicator.hpp"

#include <cstring>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pillar::comm {

/// A number or a struct of numbers: no pointer, no view of something else. It has no padding
/// either, which can be asserted only where there are no floats.
template <class T>
concept Plain = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> &&
                !std::is_pointer_v<T> &&
                !std::ranges::range<T>;

namespace detail {

/// Throws unless `n_bytes` is a number of things of `size` bytes; of one, where `is_one`.
void expect_size(const Communicator& comm, int rank, std::size_t n_bytes, std::size_t size,
                 bool is_one);

template <Plain T>
std::string_view bytes_of(std::span<const T> values) noexcept {
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

template <Plain T>
std::vector<T> list_from(const Communicator& comm, int rank, std::string_view bytes) {
    expect_size(comm, rank, bytes.size(), sizeof(T), false);
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

template <Plain T>
T value_from(const Communicator& comm, int rank, std::string_view bytes) {
    expect_size(comm, rank, bytes.size(), sizeof(T), true);
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
}

/// `messages`: one a rank, or none.
template <Plain T>
std::vector<T> values_from(const Communicator& comm, std::span<const std::string> messages) {
    std::vector<T> values;
    for (const std::string& message : messages)
        values.push_back(value_from<T>(comm, static_cast<int>(values.size()), message));
    return values;
}
template <Plain T>
std::vector<std::vector<T>> lists_from(const Communicator& comm,
                                       std::span<const std::string> messages) {
    std::vector<std::vector<T>> lists;
    for (const std::string& message : messages)
        lists.push_back(list_from<T>(comm, static_cast<int>(lists.size()), message));
    return lists;
}

} // namespace detail

/// Collective. Everybody gets every rank's value, in rank order.
template <Plain T>
std::vector<T> all_gather(Communicator& comm, const T& value) {
    return detail::values_from<T>(comm,
                                  comm.all_gather(detail::bytes_of(std::span<const T>(&value, 1))));
}
/// Collective. Rank 0 gets every rank's value in rank order; the others get nothing.
template <Plain T>
std::vector<T> gather_to_root(Communicator& comm, const T& value) {
    return detail::values_from<T>(
        comm, comm.gather_to_root(detail::bytes_of(std::span<const T>(&value, 1))));
}
/// Collective. Everybody gets rank 0's value.
template <Plain T>
T broadcast_from_root(Communicator& comm, const T& value) {
    return detail::value_from<T>(
        comm, 0, comm.broadcast_from_root(detail::bytes_of(std::span<const T>(&value, 1))));
}

/// Collective. The same with lists, which may be of any length on each rank.
template <Plain T>
std::vector<std::vector<T>> all_gather(Communicator& comm, const std::vector<T>& values) {
    return detail::lists_from<T>(comm,
                                 comm.all_gather(detail::bytes_of(std::span<const T>(values))));
}
template <Plain T>
std::vector<std::vector<T>> gather_to_root(Communicator& comm, const std::vector<T>& values) {
    return detail::lists_from<T>(comm,
                                 comm.gather_to_root(detail::bytes_of(std::span<const T>(values))));
}
template <Plain T>
std::vector<T> broadcast_from_root(Communicator& comm, const std::vector<T>& values) {
    return detail::list_from<T>(
        comm, 0, comm.broadcast_from_root(detail::bytes_of(std::span<const T>(values))));
}

/// Collective. Everybody gets every rank's texts. They hold no NUL, and there is one at least. Any
/// bytes are some texts, so this is what ranks of different builds can tell each other.
std::vector<std::vector<std::string>> all_gather(Communicator& comm,
                                                 const std::vector<std::string>& texts);

} // namespace pillar::comm
