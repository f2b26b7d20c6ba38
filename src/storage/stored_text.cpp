#include "pillar/core/utf8.hpp"
#include "pillar/storage/types.hpp"

namespace pillar::storage {

std::string stored_text(std::string_view text) {
    std::string result;
    for (const std::string valid = to_valid_utf8(text); const char c : valid)
        c == '\0' ? result.append(replacement_character) : result.append(1, c);
    return result;
}

} // namespace pillar::storage
