#include "pillar/comm/exchange.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"

#include <fmt/core.h>

namespace pillar::comm {

void detail::expect_size(const Communicator& comm, int rank, std::size_t n_bytes, std::size_t size,
                         bool is_one) {
    if (is_one ? n_bytes == size : n_bytes % size == 0) return;
    throw Error(
        ExitCode::disagree,
        fmt::format("rank {} on {} has sent {} where {} {} expected: do all ranks run the "
                    "same build of pillar?",
                    rank, comm.host(rank), counted(n_bytes, "byte"),
                    is_one ? fmt::format("{}", size) : fmt::format("a multiple of {}", size),
                    is_one && size != 1 ? "are" : "is"));
}

std::vector<std::vector<std::string>> all_gather(Communicator& comm,
                                                 const std::vector<std::string>& texts) {
    expects(!texts.empty(), "there is a text to gather");
    std::string joined;
    for (const std::string& text : texts) {
        expects(text.find('\0') == std::string::npos, "gathered texts hold no NUL");
        if (&text != &texts.front()) joined += '\0';
        joined += text;
    }
    std::vector<std::vector<std::string>> ranks;
    for (const std::string& message : comm.all_gather(joined)) {
        std::vector<std::string> own;
        for (const std::string_view text : split(message, '\0')) own.emplace_back(text);
        ranks.push_back(std::move(own));
    }
    return ranks;
}

} // namespace pillar::comm
