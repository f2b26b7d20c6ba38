#pragma once
// The balanced binary tree over a row's slices, ((s0 + s1) + (s2 + s3)) + …

#include <cstddef>

namespace pillar::kernels::reference {

/// out = the tree's sum of slices [first, first + count), count a power of two. `sum_slice(s, out)`
/// sets out to the sum of one slice; Sums is a plain struct with an array member `sum`.
template <class Sums, class SumSlice>
void sum_as_tree(std::size_t first, std::size_t count, const SumSlice& sum_slice,
                 Sums& out) noexcept {
    if (count == 1) return sum_slice(first, out);
    sum_as_tree(first, count / 2, sum_slice, out);
    Sums right;
    sum_as_tree(first + count / 2, count / 2, sum_slice, right);
    out.add(right);
}

} // namespace pillar::kernels::reference
