// Aligned buffers, checked sizes, the clock, the borrowed callable, the build's identity.

#include "pillar/core/aligned_buffer.hpp"
#include "pillar/core/errors.hpp"
#include "pillar/core/function_ref.hpp"
#include "pillar/core/program.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/core/timing.hpp"

#include <algorithm>
#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

namespace pillar {
namespace {

template <class T>
std::uintptr_t address(const T* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

TEST(aligned_buffer, is_zeroed_aligned_and_writable_at_every_size) {
    for (const std::size_t n :
         {1u, 63u, 64u, 65u, 4097u, (4u << 20) - 1, 4u << 20, (9u << 20) + 5}) {
        AlignedBuffer<std::uint8_t> buffer(n);
        ASSERT_EQ(buffer.size(), n);
        EXPECT_EQ(address(buffer.data()) % (n >= (4u << 20) ? 2u << 20 : 64u), 0u) << n;
        EXPECT_TRUE(std::ranges::all_of(buffer.span(), [](auto byte) { return byte == 0; }));
        buffer[0] = 1;
        buffer[n - 1] = 2;
        EXPECT_EQ(buffer[n - 1], 2);
    }
}

TEST(aligned_buffer, keeps_its_content_on_huge_pages) {
    for (const std::size_t n : {std::size_t{0}, std::size_t{100}, (std::size_t{5} << 20) + 3}) {
        AlignedBuffer<std::uint8_t> buffer(n);
        for (std::size_t i = 0; i < n; ++i) buffer[i] = static_cast<std::uint8_t>(i * 7);
        buffer.collapse_to_huge_pages();
        for (std::size_t i = 0; i < n; ++i)
            ASSERT_EQ(buffer[i], static_cast<std::uint8_t>(i * 7)) << i;
    }
}

TEST(aligned_buffer, of_nothing_owns_nothing) {
    EXPECT_EQ(AlignedBuffer<float>(0).data(), nullptr);
    EXPECT_EQ(AlignedBuffer<float>().size(), 0u);
}

TEST(aligned_buffer, moves_and_frees) {
    AlignedBuffer<double> a(1 << 20);
    a[7] = 2.5;
    AlignedBuffer<double> b = std::move(a);
    EXPECT_EQ(b[7], 2.5);
    b = AlignedBuffer<double>(3);
    EXPECT_EQ(b.size_bytes(), 24u);
}

TEST(aligned_buffer, refuses_what_cannot_be_had_with_a_sentence) {
    for (const std::size_t n : {std::size_t{1} << 60, std::numeric_limits<std::size_t>::max() / 8,
                                std::numeric_limits<std::size_t>::max() / 4}) {
        try {
            AlignedBuffer<double> buffer(n);
            FAIL() << n;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::refused);
            EXPECT_THAT(error.what(), testing::HasSubstr("cannot allocate"));
        }
    }
}

TEST(checked, sums_and_products_that_do_not_fit_are_nothing) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(checked_add<std::uint64_t>(most - 1, 1), most);
    EXPECT_EQ(checked_add<std::uint64_t>(most, 1), std::nullopt);
    EXPECT_EQ(checked_mul<std::uint64_t>(1ull << 32, (1ull << 32) - 1), most - ((1ull << 32) - 1));
    EXPECT_EQ(checked_mul<std::uint64_t>(1ull << 32, 1ull << 32), std::nullopt);
    EXPECT_EQ(checked_round_up<std::uint64_t>(33, 32), 64u);
    EXPECT_EQ(checked_round_up<std::uint64_t>(64, 32), 64u);
    EXPECT_EQ(checked_round_up<std::uint64_t>(most, 32), std::nullopt);
    EXPECT_EQ(ceil_div<std::uint64_t>(most, 2), 1ull << 63);
    EXPECT_EQ(ceil_div<std::uint32_t>(0, 7), 0u);
}

TEST(function_ref, calls_what_it_borrows) {
    int sum = 0;
    auto add = [&](int x) { return sum += x; };
    const FunctionRef<int(int)> call = add;
    EXPECT_EQ(call(3), 3);
    EXPECT_EQ(call(4), 7);
    EXPECT_EQ(sum, 7);
}

TEST(stopwatch, goes_forward) {
    Stopwatch watch;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_GE(watch.elapsed_s(), 0.0049);
    EXPECT_LT(watch.elapsed_s(), 5.0);
    watch.restart();
    EXPECT_LT(watch.elapsed_s(), 5.0);
    EXPECT_GT(wall_clock_s(), 1.7e9);
}

TEST(version, identifies_the_running_file) {
    EXPECT_FALSE(version().empty());
    EXPECT_FALSE(revision().empty());
    EXPECT_NE(binary_hash(), 0u);
    EXPECT_EQ(binary_hash(), binary_hash());
}

} // namespace
} // namespace pillar
