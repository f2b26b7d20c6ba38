#include "pillar/cache/page_tables.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/kernels/family.hpp"

#include <algorithm>

namespace pillar::cache {

PageTables::PageTables(std::size_t n_pages, std::size_t max_sequences, std::size_t n_context,
                       std::size_t window, std::size_t max_back)
    : window_(window), max_back_(max_back), tables_(max_sequences), n_holders_(n_pages) {
    for (Table& table : tables_) table.pages.reserve(std::max(n_pages, pages_for(n_context)));
    free_pages_.reserve(n_pages);
    for (std::size_t p = n_pages; p > 0; --p)
        free_pages_.push_back(static_cast<std::uint32_t>(p - 1));
}

std::size_t PageTables::pages_for(std::size_t n_positions) noexcept {
    return (n_positions + kernels::page_positions - 1) / kernels::page_positions;
}

std::size_t PageTables::left_on_page(std::size_t position) noexcept {
    return kernels::page_positions - 1 - position % kernels::page_positions;
}

std::size_t PageTables::in_whole_pages(std::size_t n_positions) noexcept {
    return n_positions / kernels::page_positions * kernels::page_positions;
}

PageTables::Table& PageTables::table_of(std::int32_t sequence) noexcept {
    expects(sequence >= 0 && static_cast<std::size_t>(sequence) < tables_.size(),
            "a row is of a sequence that there is room for");
    return tables_[static_cast<std::size_t>(sequence)];
}
const PageTables::Table& PageTables::table_of(std::int32_t sequence) const noexcept {
    return const_cast<PageTables*>(this)->table_of(sequence);
}

void PageTables::give_back(std::uint32_t page) noexcept {
    if (--n_holders_[page] == 0) free_pages_.push_back(page);
}

bool PageTables::reserve(std::int32_t sequence, std::int32_t position) noexcept {
    expects(position >= 0, "a row has a position");
    Table& table = table_of(sequence);
    const std::size_t needed = static_cast<std::size_t>(position) / kernels::page_positions + 1;
    while (table.pages.size() < needed) {
        if (free_pages_.empty()) return false;
        const std::uint32_t page = free_pages_.back();
        free_pages_.pop_back();
        n_holders_[page] = 1;
        table.pages.push_back(page);
    }
    return true;
}

void PageTables::forget(std::int32_t sequence, std::int32_t position) noexcept {
    expects(position >= 0, "a row has a position");
    Table& table = table_of(sequence);
    const std::size_t end = static_cast<std::size_t>(position) + 1;
    const std::size_t next = end - std::min(end, max_back_);
    const std::size_t first = first_visible(next, window_) / kernels::page_positions;
    for (; table.first < std::min(first, table.pages.size()); ++table.first)
        give_back(table.pages[table.first]);
}

bool PageTables::keeps(std::int32_t sequence, std::int32_t n_positions) const noexcept {
    expects(n_positions >= 0, "a sequence is cut to some positions");
    const std::size_t seen = first_visible(static_cast<std::size_t>(n_positions), window_);
    return n_positions == 0 || table_of(sequence).first <= seen / kernels::page_positions;
}

void PageTables::truncate(std::int32_t sequence, std::int32_t n_positions) noexcept {
    expects(keeps(sequence, n_positions), "a sequence is cut to what its cache still holds");
    Table& table = table_of(sequence);
    const std::size_t n_kept =
        std::max(table.first, pages_for(static_cast<std::size_t>(n_positions)));
    while (table.pages.size() > n_kept) {
        give_back(table.pages.back());
        table.pages.pop_back();
    }
    if (n_positions > 0) return;
    table.pages.clear();
    table.first = 0;
}

void PageTables::share(std::int32_t sequence, std::int32_t from,
                       std::int32_t n_positions) noexcept {
    const auto n_pages = static_cast<std::size_t>(n_positions) / kernels::page_positions;
    Table& table = table_of(sequence);
    const Table& source = table_of(from);
    expects(window_ == 0 && table.pages.empty() && n_pages <= source.pages.size(),
            "an empty sequence begins with pages that are there");
    for (std::size_t p = 0; p < n_pages; ++p) {
        table.pages.push_back(source.pages[p]);
        ++n_holders_[source.pages[p]];
    }
}

} // namespace pillar::cache
