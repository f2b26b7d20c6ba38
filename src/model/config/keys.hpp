#pragma once
// Metadata keys of one architecture as checked numbers.

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fmt/core.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pillar::model {

/// Reads "<architecture>.<name>" keys and turns what is missing or out of range into one sentence.
class Keys {
  public:
    Keys(const gguf::File& file, std::string prefix)
        : metadata_(file.metadata()), prefix_(std::move(prefix)) {}

    [[nodiscard]] std::string key(std::string_view name) const {
        return fmt::format("{}.{}", prefix_, name);
    }

    [[nodiscard]] std::size_t required(std::string_view name, std::uint64_t lowest,
                                       std::uint64_t highest) const {
        const auto value = integer(name, lowest, highest);
        if (!value)
            throw metadata_.error(key(name),
                                  "the key is missing; the file is not a complete model");
        return *value;
    }
    [[nodiscard]] std::size_t optional(std::string_view name, std::uint64_t lowest,
                                       std::uint64_t highest, std::size_t fallback) const {
        return integer(name, lowest, highest).value_or(fallback);
    }
    /// From here on a key may hold one number for each of so many layers.
    void set_layers(std::size_t n_layers) { n_layers_ = n_layers; }
    /// A number that must be finite and above zero.
    [[nodiscard]] double positive(std::string_view name, double fallback) const {
        const auto value = metadata_.number(key(name));
        if (value && !(std::isfinite(*value) && *value > 0))
            throw metadata_.error(key(name),
                                  fmt::format("{} is not a finite number above 0", *value));
        return value.value_or(fallback);
    }
    /// A number that must be finite and at least zero.
    [[nodiscard]] double not_negative(std::string_view name, double fallback) const {
        const auto value = metadata_.number(key(name));
        if (value && !(std::isfinite(*value) && *value >= 0))
            throw metadata_.error(key(name),
                                  fmt::format("{} is not a finite number of at least 0", *value));
        return value.value_or(fallback);
    }
    [[nodiscard]] FormatError error(std::string_view name, const std::string& problem) const {
        return metadata_.error(key(name), problem);
    }
    [[nodiscard]] const gguf::Metadata& metadata() const { return metadata_; }

  private:
    [[nodiscard]] std::optional<std::uint64_t> integer(std::string_view name, std::uint64_t lowest,
                                                       std::uint64_t highest) const {
        const gguf::Value* value = metadata_.find(key(name));
        const bool is_array = value != nullptr && std::holds_alternative<gguf::Array>(value->value);
        if (!is_array || n_layers_ == 0) return metadata_.integer(key(name), lowest, highest);
        return same_in_all_layers(name, lowest, highest);
    }

    /// An array of one number a layer stands for that number when all are the same.
    [[nodiscard]] std::uint64_t same_in_all_layers(std::string_view name, std::uint64_t lowest,
                                                   std::uint64_t highest) const {
        const std::vector<std::int64_t> numbers = metadata_.integers(key(name)).value();
        if (numbers.size() != n_layers_)
            throw error(name, fmt::format("{} numbers for {} layers", numbers.size(), n_layers_));
        for (std::size_t layer = 1; layer < n_layers_; ++layer)
            if (numbers[layer] != numbers[0])
                throw error(name,
                            fmt::format("{} in layer 0 but {} in layer {}; layers that differ "
                                        "are not supported",
                                        numbers[0], numbers[layer], layer));
        if (std::cmp_less(numbers[0], lowest) || std::cmp_greater(numbers[0], highest))
            throw error(name, fmt::format("is {} in every layer, outside {} to {}", numbers[0],
                                          lowest, highest));
        return static_cast<std::uint64_t>(numbers[0]);
    }

    const gguf::Metadata& metadata_;
    std::string prefix_;
    std::size_t n_layers_ = 0;
};

} // namespace pillar::model
