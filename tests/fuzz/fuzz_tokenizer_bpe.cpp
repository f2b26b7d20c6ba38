// Any bytes as text and as ids, through a small byte-level BPE vocabulary under every
// pre-tokenizer: the first byte chooses the rule.

#include "fuzz_tokenizer.hpp"

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/tokenizer/pre_tokenizer.hpp"
#include "support/models/tiny_model.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace pillar;

std::vector<tokenizer::Tokenizer> make_tokenizers() {
    std::vector<tokenizer::Tokenizer> tokenizers;
    for (const auto& rule : tokenizer::pre_tokenizer_rules()) {
        support::GgufBuilder builder;
        auto vocabulary = support::tiny_bpe_vocabulary(400);
        vocabulary.pieces[398] = "<tool>"; // user-defined
        vocabulary.types[398] = 4;
        support::set_bpe_vocabulary(builder, vocabulary);
        builder.set("tokenizer.ggml.pre", rule.names.front());
        const std::string bytes = builder.bytes();
        tokenizers.emplace_back(
            gguf::parse(std::as_bytes(std::span(bytes)), bytes.size(), "tiny").metadata);
    }
    return tokenizers;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<tokenizer::Tokenizer> tokenizers = make_tokenizers();
    if (size == 0) return 0;
    const auto& chosen = tokenizers[data[0] % tokenizers.size()];
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    tokenizer::fuzz::check_round_trip(chosen, bytes);
    tokenizer::fuzz::check_any_ids(chosen, bytes);
    return 0;
}
