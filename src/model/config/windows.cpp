#include "config/windows.hpp"

namespace pillar::model {

std::size_t read_window(const Keys& keys, std::size_t fallback) {
    constexpr std::string_view name = "attention.sliding_window";
    return fallback == 0 ? keys.required(name, 1, max_context)
                         : keys.optional(name, 1, max_context, fallback);
}

} // namespace pillar::model
