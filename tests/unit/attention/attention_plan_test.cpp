// Who attends to what in a step: every page of every head and row once, evenly, in pieces that the
// page tree can put together.

#include "pillar/attention/attention_plan.hpp"
#include "pillar/cache/kv_cache.hpp"

#include "pillar/threads/team.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <tuple>

namespace pillar::attention {

namespace {

/// Rows of one sequence from a position on.
std::vector<Row> chunk(std::int32_t sequence, std::int32_t first, std::size_t n) {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < n; ++i)
        rows.push_back({.token = 1,
                        .position = first + static_cast<std::int32_t>(i),
                        .sequence = sequence,
                        .want_logits = false});
    return rows;
}

std::vector<Row> joined(std::vector<std::vector<Row>> parts) {
    std::vector<Row> rows;
    for (const auto& part : parts) rows.insert(rows.end(), part.begin(), part.end());
    return rows;
}

struct Step {
    const char* name;
    std::vector<Row> rows;
};
std::vector<Step> steps() {
    return {{"first token", chunk(0, 0, 1)},
            {"deep token", chunk(0, 4000, 1)},
            {"a page's last", chunk(0, 255, 1)},
            {"three over a border", chunk(0, 510, 3)},
            {"two sequences", joined({chunk(0, 3000, 1), chunk(1, 7, 1)})},
            {"whole prompt", chunk(0, 0, 600)},
            {"chunk at a depth", chunk(0, 1000, 256)},
            {"batch", joined({chunk(0, 900, 1), chunk(1, 5, 1), chunk(2, 2000, 1), chunk(3, 300, 1),
                              chunk(4, 0, 1), chunk(5, 1, 1)})},
            {"batch with a prompt", joined({chunk(0, 900, 1), chunk(1, 100, 40), chunk(2, 8, 1)})}};
}

std::size_t visible(const Row& row, std::size_t page) {
    return std::min<std::size_t>(static_cast<std::size_t>(row.position) + 1 - page * 256, 256);
}

constexpr std::size_t windows[] = {0, 1, 100, 256, 257, 3000};

/// Pages [first, last) that a row sees a position of.
Range pages_of(const Row& row, std::size_t window) {
    const auto position = static_cast<std::size_t>(row.position);
    const std::size_t n = window == 0 ? position + 1 : std::min(window, position + 1);
    return {(position + 1 - n) / 256, position / 256 + 1};
}

TEST(attention_plan, covers_every_page_that_a_row_sees_once_for_every_head) {
    for (const Step& step : steps())
        for (const std::size_t window : windows)
            for (const std::size_t n_kv_heads : {1u, 3u, 8u})
                for (const int n_threads : {1, 2, 3, 4, 7})
                    for (const bool own_blocks : {true, false}) {
                        AttentionPlan plan({n_kv_heads, 16, 1024, own_blocks, n_threads, window});
                        for (int repeat = 0; repeat < 2; ++repeat) plan.make(step.rows);
                        std::map<std::tuple<std::size_t, std::size_t, std::size_t>, int> seen;
                        for (int t = 0; t < n_threads; ++t)
                            for (const AttentionJob& job : plan.jobs(static_cast<std::size_t>(t)))
                                for (std::size_t r = job.first_row; r < job.first_row + job.n_rows;
                                     ++r)
                                    for (std::size_t p = job.page_begin; p < job.page_end; ++p)
                                        ++seen[{job.kv_head, r, p}];
                        std::size_t expected = 0;
                        for (const Row& row : step.rows)
                            expected += n_kv_heads * pages_of(row, window).size();
                        EXPECT_EQ(seen.size(), expected) << step.name;
                        for (const auto& [what, n] : seen) {
                            const auto& [head, row, page] = what;
                            const Range pages = pages_of(step.rows[row], window);
                            EXPECT_TRUE(page >= pages.begin && page < pages.end) << step.name;
                            EXPECT_EQ(n, 1) << step.name;
                        }
                    }
}

TEST(attention_plan, has_tiles_of_one_sequence_that_see_the_same_pages) {
    for (const std::size_t window : windows)
        for (const Step& step : steps()) {
            AttentionPlan plan({2, 16, 1024, true, 3, window});
            plan.make(step.rows);
            for (std::size_t t = 0; t < 3; ++t)
                for (const AttentionJob& job : plan.jobs(t)) {
                    EXPECT_LE(job.n_rows, 16u);
                    const Row& first = step.rows[job.first_row];
                    for (std::size_t i = 0; i < job.n_rows; ++i) {
                        const Row& row = step.rows[job.first_row + i];
                        EXPECT_EQ(row.sequence, first.sequence) << step.name;
                        EXPECT_EQ(row.position, first.position + static_cast<std::int32_t>(i));
                        const Range pages = pages_of(row, window);
                        EXPECT_EQ(pages.begin, job.first_page) << step.name;
                        EXPECT_EQ(pages.end, job.last_page) << step.name;
                    }
                }
        }
}

TEST(attention_plan, shares_the_positions_evenly) {
    // (row, head, position) triples of the busiest thread, as a part of an equal share
    const auto busiest = [](const std::vector<Row>& rows, std::size_t n_kv_heads, int n_threads) {
        AttentionPlan plan({n_kv_heads, 16, 1024, true, n_threads});
        plan.make(rows);
        double total = 0, most = 0;
        for (int t = 0; t < n_threads; ++t) {
            double mine = 0;
            for (const AttentionJob& job : plan.jobs(static_cast<std::size_t>(t)))
                for (std::size_t p = job.page_begin; p < job.page_end; ++p)
                    for (std::size_t i = 0; i < job.n_rows; ++i)
                        mine += static_cast<double>(visible(rows[job.first_row + i], p));
            total += mine;
            most = std::max(most, mine);
        }
        return most * n_threads / total;
    };
    EXPECT_LE(busiest(chunk(0, 4095, 1), 1, 4), 1.001); // one head, 16 pages
    EXPECT_LE(busiest(chunk(0, 4095, 1), 3, 4), 1.001);
    EXPECT_LE(busiest(chunk(0, 4095, 1), 8, 3), 1.01);
    EXPECT_LE(busiest(chunk(0, 1000, 256), 1, 4), 1.02);
    EXPECT_LE(busiest(chunk(0, 0, 512), 1, 4), 1.04); // later rows see more
    EXPECT_LE(busiest(chunk(0, 0, 512), 3, 2), 1.02);
    EXPECT_LE(busiest(joined({chunk(0, 2047, 1), chunk(1, 0, 1)}), 1, 4), 1.02);
}

TEST(attention_plan, splits_pages_only_among_a_few_rows_and_lists_the_parts_in_order) {
    for (const std::size_t window : windows)
        for (const Step& step : steps())
            for (const std::size_t n_kv_heads : {1u, 3u, 8u})
                for (const int n_threads : {1, 2, 4}) {
                    AttentionPlan plan({n_kv_heads, 16, 1024, true, n_threads, window});
                    plan.make(step.rows);
                    if (step.rows.size() > few_rows || n_threads == 1) {
                        EXPECT_TRUE(plan.splits().empty()) << step.name;
                    }
                    std::size_t n_parts = 0;
                    for (const SplitAttention& split : plan.splits()) {
                        std::size_t page = plan.job(split.first_job).first_page;
                        for (std::size_t i = 0; i < split.n_jobs; ++i) {
                            const AttentionJob& job = plan.job(split.first_job + i);
                            EXPECT_EQ(job.page_begin, page);
                            EXPECT_EQ(job.kv_head, plan.job(split.first_job).kv_head);
                            page = job.page_end;
                            // a thread keeps two results at most: of its first job and of its last
                            const auto mine = plan.jobs(plan.thread_of(split.first_job + i));
                            EXPECT_TRUE(&job == &mine.front() || &job == &mine.back()) << step.name;
                            EXPECT_EQ(plan.is_first(split.first_job + i), &job == &mine.front());
                        }
                        EXPECT_EQ(page, plan.job(split.first_job).last_page);
                        n_parts += split.n_jobs;
                    }
                    std::size_t n_partial = 0;
                    for (int t = 0; t < n_threads; ++t)
                        for (const AttentionJob& job : plan.jobs(static_cast<std::size_t>(t)))
                            n_partial += job.is_whole() ? 0 : 1;
                    EXPECT_EQ(n_parts, n_partial) << step.name;
                }
    AttentionPlan plan({1, 16, 1024, true, 4});
    plan.make(chunk(0, 4095, 1));
    ASSERT_EQ(plan.splits().size(), 1u);
    EXPECT_EQ(plan.splits()[0].n_jobs, 4u);
}

TEST(attention_plan, keeps_all_heads_of_a_row_with_one_thread_where_they_share_blocks) {
    AttentionPlan plan({3, 16, 1024, false, 4});
    plan.make(chunk(0, 100, 50));
    std::map<std::size_t, std::size_t> thread_of_row;
    for (std::size_t t = 0; t < 4; ++t)
        for (const AttentionJob& job : plan.jobs(t))
            for (std::size_t r = job.first_row; r < job.first_row + job.n_rows; ++r)
                EXPECT_EQ(thread_of_row.try_emplace(r, t).first->second, t);
    EXPECT_EQ(thread_of_row.size(), 50u);
}

TEST(attention_plan, of_a_rank_without_heads_is_empty) {
    AttentionPlan plan({0, 16, 64, true, 2});
    plan.make(chunk(0, 0, 10));
    EXPECT_TRUE(plan.jobs(0).empty());
    EXPECT_TRUE(plan.jobs(1).empty());
    EXPECT_TRUE(plan.splits().empty());
}

} // namespace
} // namespace pillar::attention
