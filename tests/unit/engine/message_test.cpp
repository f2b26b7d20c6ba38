// A step's messages: no byte of them is left to chance.

#include "messages/message.hpp"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <vector>

namespace pillar::engine {
namespace {

/// The bytes of a default T, made where every byte was `before`.
template <class T>
std::vector<std::byte> bytes_over(std::byte before) {
    alignas(T) std::array<std::byte, sizeof(T)> memory{};
    memory.fill(before);
    new (memory.data()) T{};
    std::vector<std::byte> bytes(sizeof(T));
    std::memcpy(bytes.data(), memory.data(), sizeof(T));
    return bytes;
}

template <class T>
void expect_no_undefined_bytes() {
    EXPECT_EQ(bytes_over<T>(std::byte{0xAA}), bytes_over<T>(std::byte{0x55})) << sizeof(T);
}

TEST(message, has_no_undefined_bytes) {
    expect_no_undefined_bytes<RequestHead>();
    expect_no_undefined_bytes<RequestRow>();
    expect_no_undefined_bytes<StepPlan::Keep>();
    expect_no_undefined_bytes<StepPlan::Sampling>();
    expect_no_undefined_bytes<ReplyHead>();
    expect_no_undefined_bytes<ReplyRow>();
    expect_no_undefined_bytes<ReplyCandidate>();
}

} // namespace
} // namespace pillar::engine
