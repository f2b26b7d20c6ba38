#pragma once
// Products as shares of what the machine can do.

namespace pillar::bench {

/// Registers, for every fast family, format and number of threads,
///   decode/FAMILY/FORMAT/threads:N    all matrices of a Llama 3.2 1B × one column: GB/s of packed
///                                     weights, and their share of the memory read in turns with it
///   prefill/FAMILY/FORMAT/threads:N   matrices of one of its layers × 128 columns: GMAC/s, and
///                                     their share of the family's integer rate, likewise
void register_shares();

} // namespace pillar::bench
