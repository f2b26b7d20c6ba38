#include "version_1.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/core.h>
#include <variant>

namespace pillar::trace {

namespace {

struct List {
    std::string_view name;
    std::variant<double RankShare::*, std::uint64_t RankShare::*> member;
    std::string_view nothing; ///< the text that says that there are no numbers
};

constexpr std::array<List, 9> lists{{{"split_shares", &RankShare::split_share, "even"},
                                     {"split_bytes_per_s", &RankShare::split_bytes_per_s, ""},
                                     {"rank_layer_bytes", &RankShare::layer_bytes, ""},
                                     {"rank_heads_bytes", &RankShare::heads_bytes, ""},
                                     {"rank_output_bytes", &RankShare::output_bytes, ""},
                                     {"rank_layer_products", &RankShare::layer_macs, ""},
                                     {"rank_output_products", &RankShare::output_macs, ""},
                                     {"rank_kv_bytes", &RankShare::kv_bytes, ""},
                                     {"rank_n_heads", &RankShare::n_heads, ""}}};

/// False when the text is anything but one number a rank, separated by commas.
template <class T>
bool read_list(std::string_view text, T RankShare::*member, std::vector<RankShare>& shares) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (RankShare& share : shares) {
        const auto [next, error] = std::from_chars(at, end, share.*member);
        const bool is_last = &share == &shares.back();
        if (error != std::errc() || (is_last ? next != end : next == end || *next != ','))
            return false;
        at = is_last ? next : next + 1;
    }
    return true;
}

} // namespace

void take_shares_of_version_1(const std::string& path, std::vector<storage::NamedValue>& config,
                              std::vector<RankShare>& shares) {
    for (const List& list : lists) {
        const auto entry = std::ranges::find(config, list.name, &storage::NamedValue::name);
        if (entry == config.end()) continue;
        const auto* text = std::get_if<std::string>(&entry->value);
        const bool is_list =
            text != nullptr &&
            (*text == list.nothing ||
             std::visit([&](auto member) { return read_list(*text, member, shares); },
                        list.member));
        if (!is_list)
            throw FormatError(
                path, fmt::format("/config {}", list.name), std::nullopt,
                text == nullptr
                    ? "is no text"
                    : fmt::format("is \"{}\", no list of one number a rank", printable(*text)));
        config.erase(entry);
    }
}

std::string_view name_in_version_1(std::string_view column) noexcept {
    if (column == "request_bytes") return "order_bytes";
    if (column == "reply_bytes") return "answer_bytes";
    return column;
}

} // namespace pillar::trace
