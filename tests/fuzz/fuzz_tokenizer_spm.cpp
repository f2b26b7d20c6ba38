// Any bytes as text and as ids, through a small SentencePiece-style vocabulary.

#include "fuzz_tokenizer.hpp"

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"
#include "support/models/tiny_model.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace {

using namespace pillar;

const tokenizer::Tokenizer& small_tokenizer() {
    static const tokenizer::Tokenizer instance = [] {
        support::GgufBuilder builder;
        auto vocabulary = support::tiny_spm_vocabulary(400);
        vocabulary.pieces[398] = "<tool>"; // user-defined
        vocabulary.types[398] = 4;
        support::set_spm_vocabulary(builder, vocabulary);
        const std::string bytes = builder.bytes();
        return tokenizer::Tokenizer(
            gguf::parse(std::as_bytes(std::span(bytes)), bytes.size(), "tiny").metadata);
    }();
    return instance;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    tokenizer::fuzz::check_round_trip(small_tokenizer(), bytes);
    tokenizer::fuzz::check_any_ids(small_tokenizer(), bytes);
    return 0;
}
