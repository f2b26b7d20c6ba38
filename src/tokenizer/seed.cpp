// One draw from the system's entropy.

#include "seed.hpp"

#include <random>

namespace pillar::tokenizer {

std::uint64_t process_seed() {
    static const std::uint64_t seed = [] {
        std::random_device device;
        return std::uint64_t{device()} << 32 | device();
    }();
    return seed;
}

} // namespace pillar::tokenizer
