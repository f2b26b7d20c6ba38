#pragma once
// Random numbers for tests: SplitMix64, the same stream on every machine and with every standard
// library.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace pillar::support {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    /// A stream of its own for each name.
    Random(std::uint64_t seed, std::string_view name) : state_(seed) {
        for (const char c : name) state_ = next() ^ static_cast<unsigned char>(c);
    }

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    /// 0 … n − 1
    std::uint64_t below(std::uint64_t n) { return next() % n; }
    /// [0, 1)
    double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
    /// Uniform with mean 0 and standard deviation 1.
    double centred() { return (uniform() - 0.5) * std::sqrt(12.0); }

    std::string bytes(std::size_t n) {
        std::string result(n, '\0');
        for (char& c : result) c = static_cast<char>(next());
        return result;
    }

  private:
    std::uint64_t state_;
};

} // namespace pillar::support
