#pragma once
// Where the hash tables begin: a random number drawn once a process. It moves entries inside the
// tables and nothing else; no token depends on it.

#include <cstdint>

namespace pillar::tokenizer {

std::uint64_t process_seed();

} // namespace pillar::tokenizer
