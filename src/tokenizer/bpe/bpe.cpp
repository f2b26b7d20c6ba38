// Everything that a merge can make gets a number beforehand, so that joining two symbols is one
// look-up of two numbers.

#include "pillar/tokenizer/bpe.hpp"

#include "seed.hpp"

#include "pillar/tokenizer/byte_alphabet.hpp"

#include <algorithm>
#include <bit>

namespace pillar::tokenizer {

namespace {

/// The bytes for which text may become this token; nothing when it may not.
std::optional<std::string> reachable_bytes(const std::string& piece, TokenType type) {
    switch (type) {
    case TokenType::normal:
    case TokenType::unused:
        return bytes_of_piece(piece);
    case TokenType::user_defined: { // written as it is shown, not in the alphabet
        auto bytes = bytes_of_piece(piece);
        return bytes == piece ? bytes : std::nullopt;
    }
    default:
        return std::nullopt;
    }
}

constexpr std::size_t first_slots = 1024;

} // namespace

Bpe::PairTable::PairTable(std::size_t most)
    : slots_(std::bit_ceil(std::max(first_slots, 2 * most + 2))), seed_(process_seed()) {}

std::size_t Bpe::PairTable::slot_of(std::uint64_t key) const noexcept {
    std::uint64_t mixed = (key ^ seed_) * 0x9e3779b97f4a7c15ull; // golden ratio
    mixed = (mixed ^ (mixed >> 32)) * 0xbf58476d1ce4e5b9ull;     // SplitMix64's first factor
    const std::size_t mask = slots_.size() - 1;
    std::size_t place = (mixed ^ (mixed >> 29)) & mask;
    while (slots_[place].key != UINT64_MAX && slots_[place].key != key) place = (place + 1) & mask;
    return place;
}

void Bpe::PairTable::add(std::uint32_t left, std::uint32_t right, Pair pair) {
    const std::uint64_t key = std::uint64_t{left} << 32 | right;
    Slot& slot = slots_[slot_of(key)];
    if (slot.key == key) return;
    slot = {key, pair};
}

Pair Bpe::PairTable::find(std::uint32_t left, std::uint32_t right) const noexcept {
    return slots_[slot_of(std::uint64_t{left} << 32 | right)].pair;
}

Bpe::Bpe(const Vocabulary& vocabulary, std::span<const std::string> merges, bool ignore_merges)
    : pieces_(vocabulary.size() + 256), pairs_(merges.size()), ignore_merges_(ignore_merges) {
    for (std::size_t id = 0; id < vocabulary.size(); ++id) {
        const auto bytes = reachable_bytes(vocabulary.pieces[id], vocabulary.types[id]);
        if (!bytes || bytes->empty()) continue;
        const std::uint32_t piece = pieces_.add(*bytes);
        if (piece == token_of_piece_.size()) token_of_piece_.push_back(static_cast<TokenId>(id));
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const char text = static_cast<char>(byte);
        piece_of_byte_[byte] = pieces_.add({&text, 1});
    }
    std::uint32_t rank = 0;
    for (const std::string& merge : merges) add_merge(merge, rank++);
    token_of_piece_.resize(pieces_.size(), -1);
    for (const std::uint32_t piece : piece_of_byte_)
        if (token_of_piece_[piece] < 0) ++n_missing_bytes_;
}

void Bpe::add_merge(std::string_view merge, std::uint32_t rank) {
    const std::size_t space = merge.find(' ', 1);
    const auto left = bytes_of_piece(merge.substr(0, space));
    const auto right = bytes_of_piece(merge.substr(space + 1));
    if (!left || !right || left->empty() || right->empty()) {
        ++n_strange_merges_;
        return;
    }
    const std::uint32_t left_piece = pieces_.add(*left);
    const std::uint32_t right_piece = pieces_.add(*right);
    const std::uint32_t joined = pieces_.add(*left + *right);
    if (joined >= token_of_piece_.size()) ++n_strange_merges_;
    pairs_.add(left_piece, right_piece, {rank, joined});
}

void Bpe::append_token(std::uint32_t piece, std::vector<TokenId>& ids) const {
    if (const TokenId id = token_of_piece_[piece]; id >= 0) return ids.push_back(id);
    for (const char byte : pieces_.text(piece)) { // merged, but no token: back to bytes
        const TokenId id = token_of_piece_[piece_of_byte_[static_cast<std::uint8_t>(byte)]];
        if (id >= 0) ids.push_back(id);
    }
}

void Bpe::encode(std::string_view word, std::vector<TokenId>& ids, MergeSpace& space) const {
    if (word.empty()) return;
    if (ignore_merges_ || word.size() == 1) {
        const std::uint32_t piece = pieces_.find(word);
        if (piece != PieceIndex::none && token_of_piece_[piece] >= 0)
            return ids.push_back(token_of_piece_[piece]);
    }
    space.symbols.clear();
    space.symbols.reserve(word.size());
    for (std::size_t i = 0; i < word.size(); ++i)
        space.append(static_cast<std::uint32_t>(i),
                     piece_of_byte_[static_cast<std::uint8_t>(word[i])]);
    merge(space, [this](const Symbol& left, const Symbol& right) {
        return pairs_.find(left.piece, right.piece);
    });
    for (std::uint32_t i = 0; i != no_symbol; i = space.symbols[i].next)
        append_token(space.symbols[i].piece, ids);
}

} // namespace pillar::tokenizer
