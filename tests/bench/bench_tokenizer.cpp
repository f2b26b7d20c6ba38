// bench_tokenizer FILE.gguf... : processor seconds to tokenise 1 MiB and 10 MiB of plain and of
// hostile text. What is promised: 1 MiB within a second, ten times the text in at most fifteen
// times the time.

#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <fmt/format.h>

#include <ctime>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace pillar;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

constexpr std::string_view prose =
    "Twelve small boards hung in a row behind the stove, and each of them knew a twelfth of the "
    "story. "
    "\"Who speaks first?\" asked the 3rd one; nobody did. In 2019 they had cost $35.50 "
    "apiece...\n\n"
    "Ночью они считали, 夜里它们在计算, et à l'aube ils avaient fini — presque.\n";

std::string repeat(std::string_view part, std::size_t size) {
    std::string text;
    while (text.size() < size) text += part;
    return text;
}

double processor_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double seconds_to_encode(const tokenizer::Tokenizer& tokenizer, const std::string& text,
                         std::size_t& n_tokens) {
    const double start = processor_seconds();
    n_tokens = tokenizer.encode(text).size();
    return processor_seconds() - start;
}

void measure(const char* path) {
    const gguf::File file(path);
    const double start = processor_seconds();
    const tokenizer::Tokenizer tokenizer(file.metadata());
    fmt::print("{}: {} pieces, loaded in {:.3f} s\n", path, tokenizer.vocabulary().size(),
               processor_seconds() - start);
    const std::pair<const char*, std::string_view> texts[] = {
        {"prose", prose}, {"one letter", "a"}, {"one capital", "A"},
        {"spaces", " "},  {"newlines", "\n"},  {"spaces and newlines", "  \n"},
        {"digits", "7"},  {"emoji", "😀"},      {"ideographs", "中"},
        {"<", "<"},       {"<|", "<|"},        {"broken bytes", "\xFF"},
    };
    fmt::print("{:<20} {:>9} {:>10} {:>10} {:>6}\n", "text", "tokens", "1 MiB", "10 MiB", "ratio");
    for (const auto& [name, part] : texts) {
        std::size_t n_tokens = 0;
        std::size_t ignored = 0;
        const double one = seconds_to_encode(tokenizer, repeat(part, mebibyte), n_tokens);
        const double ten = seconds_to_encode(tokenizer, repeat(part, 10 * mebibyte), ignored);
        fmt::print("{:<20} {:>9} {:>8.3f} s {:>8.3f} s {:>6.1f}\n", name, n_tokens, one, ten,
                   ten / one);
    }
}

} // namespace

int main(int argc, char** argv) {
    try {
        for (int i = 1; i < argc; ++i) measure(argv[i]);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench_tokenizer: {}\n", error.what());
        return 1;
    }
    return 0;
}
