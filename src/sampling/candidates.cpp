// The best k of many: the output is a heap whose front is the worst kept candidate, and a block of
// logits is looked at one by one only if one of them beats that front. In random order that happens
// about k·ln(n/k) times.

#include "pillar/sampling/sampling.hpp"

#include <algorithm>

namespace pillar::sampling {

bool is_better(const Candidate& a, const Candidate& b) noexcept {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

namespace {

/// The best `capacity` candidates offered so far.
class Best {
  public:
    Best(Candidate* storage, std::size_t capacity) noexcept
        : storage_(storage), capacity_(capacity) {}
    [[nodiscard]] bool is_full() const noexcept { return size_ == capacity_; }
    [[nodiscard]] const Candidate& worst() const noexcept { return storage_[0]; }
    /// False if it was not good enough.
    bool offer(const Candidate& candidate) noexcept {
        if (is_full()) {
            if (!is_better(candidate, worst())) return false;
            std::pop_heap(storage_, storage_ + size_, is_better);
            --size_;
        }
        storage_[size_++] = candidate;
        std::push_heap(storage_, storage_ + size_, is_better);
        return true;
    }
    std::size_t sort() noexcept {
        std::sort_heap(storage_, storage_ + size_, is_better);
        return size_;
    }

  private:
    Candidate* storage_;
    std::size_t capacity_;
    std::size_t size_ = 0;
};

constexpr std::size_t block = 32;

/// Whether one of `block` logits is above `threshold`; NaN is not.
bool any_above(const float* logits, float threshold) noexcept {
    unsigned found = 0;
    for (std::size_t i = 0; i < block; ++i) found |= logits[i] > threshold ? 1u : 0u;
    return found != 0;
}

Candidate candidate_at(std::span<const float> logits, TokenId first_id, std::size_t i) noexcept {
    return {first_id + static_cast<TokenId>(i), logits[i]};
}

/// Everything written to `out` (which has the room) and sorted as far as it is wanted.
std::size_t sort_all(std::span<const float> logits, TokenId first_id, std::size_t k,
                     std::span<Candidate> out) noexcept {
    std::size_t n = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
        if (logits[i] == logits[i]) out[n++] = candidate_at(logits, first_id, i);
    const std::size_t n_best = std::min(k, n);
    Candidate* const first = out.data();
    if (n_best < n) std::nth_element(first, first + n_best, first + n, is_better);
    std::sort(first, first + n_best, is_better);
    return n_best;
}

} // namespace

std::size_t best_candidates(std::span<const float> logits, TokenId first_id, std::size_t k,
                            std::span<Candidate> out) noexcept {
    k = std::min({k, out.size(), logits.size()});
    if (k == 0) return 0;
    if (k > max_candidates && out.size() >= logits.size())
        return sort_all(logits, first_id, k, out);
    Best best(out.data(), k);
    std::size_t i = 0;
    for (; i < logits.size() && !best.is_full(); ++i)
        if (logits[i] == logits[i]) best.offer(candidate_at(logits, first_id, i));
    for (; i + block <= logits.size(); i += block) {
        if (!any_above(&logits[i], best.worst().logit)) continue;
        for (std::size_t j = i; j < i + block; ++j)
            if (logits[j] > best.worst().logit) best.offer(candidate_at(logits, first_id, j));
    }
    for (; i < logits.size(); ++i)
        if (logits[i] > best.worst().logit) best.offer(candidate_at(logits, first_id, i));
    return best.sort();
}

} // namespace pillar::sampling
