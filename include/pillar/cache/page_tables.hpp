#pragma once
// Which pages of a pool each sequence has: the KV cache's bookkeeping, without its data. All ranks
// do the same with it, so rank 0 can tell beforehand what there will be room for.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pillar::cache {

/// The first position that a row at `position` sees within a window; 0: it sees all.
constexpr std::size_t first_visible(std::size_t position, std::size_t window) noexcept {
    return window == 0 || position < window ? 0 : position + 1 - window;
}

class PageTables {
  public:
    /// `n_context`: positions a sequence may have; `window`: positions that a row sees, 0: all
    /// before it; `max_back`: a sequence can be computed again from so many positions before its
    /// last one.
    PageTables(std::size_t n_pages, std::size_t max_sequences, std::size_t n_context,
               std::size_t window, std::size_t max_back = 0);

    /// Pages that `n_positions` positions of one sequence need.
    static std::size_t pages_for(std::size_t n_positions) noexcept;
    /// Positions behind `position` on its page.
    static std::size_t left_on_page(std::size_t position) noexcept;
    /// Of `n_positions` those that fill pages.
    static std::size_t in_whole_pages(std::size_t n_positions) noexcept;

    /// Make room for `position` of `sequence` (positions come without gaps). False when the pool is
    /// empty. No allocation. expects() a sequence below max_sequences.
    bool reserve(std::int32_t sequence, std::int32_t position) noexcept;
    /// Rows of a sequence up to `position` have been computed: give back the pages that no later
    /// one sees.
    void forget(std::int32_t sequence, std::int32_t position) noexcept;
    /// Whether a sequence can be cut to `n_positions`: all that its next row sees is there.
    [[nodiscard]] bool keeps(std::int32_t sequence, std::int32_t n_positions) const noexcept;
    /// Keep the first `n_positions` of a sequence, or of these what later rows see, and give back
    /// the pages beyond them. expects() keeps().
    void truncate(std::int32_t sequence, std::int32_t n_positions) noexcept;
    /// Let a sequence without pages begin with the first `n_positions`, whole pages, of another
    /// one. A page is free again when the last of its sequences has given it back. expects() no
    /// window and pages that are there.
    void share(std::int32_t sequence, std::int32_t from, std::int32_t n_positions) noexcept;

    [[nodiscard]] std::size_t window() const noexcept { return window_; }
    [[nodiscard]] std::size_t free_pages() const noexcept { return free_pages_.size(); }
    [[nodiscard]] std::size_t used_pages() const noexcept {
        return n_holders_.size() - free_pages_.size();
    }
    /// Number of a sequence's page `index` in the pool.
    [[nodiscard]] std::size_t page(std::int32_t sequence, std::size_t index) const noexcept {
        return tables_[static_cast<std::size_t>(sequence)].pages[index];
    }

  private:
    /// A sequence's pages; those before `first` have been given back.
    struct Table {
        std::size_t first = 0;
        std::vector<std::uint32_t> pages;
    };
    [[nodiscard]] Table& table_of(std::int32_t sequence) noexcept;
    [[nodiscard]] const Table& table_of(std::int32_t sequence) const noexcept;
    void give_back(std::uint32_t page) noexcept;

    std::size_t window_;
    std::size_t max_back_;
    std::vector<Table> tables_; ///< (max_sequences)
    std::vector<std::uint32_t> free_pages_;
    std::vector<std::uint32_t> n_holders_; ///< (n_pages) sequences that have it
};

} // namespace pillar::cache
