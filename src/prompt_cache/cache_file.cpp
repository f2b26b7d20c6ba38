#include "cache_file.hpp"

#include "pillar/cache/kv_cache.hpp"
#include "pillar/core/hash.hpp"
#include "pillar/core/program.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <limits>
#include <sys/stat.h>
#include <type_traits>
#include <unistd.h>

namespace pillar::prompt_cache {

namespace {

constexpr char file_magic[8] = {'p', 'i', 'l', 'l', 'a', 'r', 'K', 'V'};
constexpr std::uint32_t format_version = 1;

struct Head {
    char magic[8] = {};
    std::uint32_t format = 0;
    std::uint16_t key_type = 0; ///< 0: f32, 1: f16, 2: q8_0, 3: q4_0
    std::uint16_t value_type = 0;
    std::uint32_t float_activations = 0; ///< 1: of the reference kernels
    std::uint32_t head_dim = 0;
    std::uint64_t model_hash = 0;
    std::uint64_t n_layers = 0;
    std::uint64_t n_kv_heads = 0;
    std::uint64_t n_tokens = 0;
    char program[32] = {};    ///< version of the program, ended by 0
    char arithmetic[88] = {}; ///< ended by 0
    std::uint64_t hash = 0;   ///< of all before it, then of the tokens
};
static_assert(std::has_unique_object_representations_v<Head> && sizeof(Head) == 184);

std::uint64_t hash_of_head(const Head& head, std::span<const tokenizer::TokenId> tokens) noexcept {
    const auto bytes = std::as_bytes(std::span(&head, 1));
    return hash_of(tokens, hash_bytes(bytes.first(offsetof(Head, hash))));
}

template <std::size_t n>
void put_text(char (&to)[n], std::string_view text) noexcept {
    text = text.substr(0, n - 1);
    std::copy(text.begin(), text.end(), to);
}

template <std::size_t n>
std::string text_of(const char (&from)[n]) {
    return {from, static_cast<std::size_t>(std::find(from, from + n, '\0') - from)};
}

std::size_t row_bytes_of(const Identity& identity) noexcept {
    return cache::KvCache::row_bytes(identity.cache_types, identity.head_dim);
}

constexpr const char* remedy = "name another file with --prompt-cache, or remove this one";

[[noreturn]] void refuse_file(const std::string& path, const std::string& difference) {
    throw Error(ExitCode::refused, fmt::format("{}: the prompt cache {}; {}", printable(path, 4096),
                                               difference, remedy));
}

void expect_own(const std::string& path, const Head& head, const Identity& identity) {
    if (head.format != format_version)
        refuse_file(path, fmt::format("has format version {}, this program knows {}", head.format,
                                      format_version));
    if (text_of(head.program) != version())
        refuse_file(path, fmt::format("was made by version {}, this is {}",
                                      printable(text_of(head.program)), version()));
    if (head.model_hash != identity.model_hash) refuse_file(path, "is of another model");
    if (head.key_type != static_cast<std::uint16_t>(identity.cache_types.keys) ||
        head.value_type != static_cast<std::uint16_t>(identity.cache_types.values))
        refuse_file(path,
                    fmt::format("has another cache type than {}: give --cache-type as it was made",
                                kernels::name_of(identity.cache_types)));
    if ((head.float_activations != 0) != identity.float_activations)
        refuse_file(path, "was computed by kernels that round otherwise (--kernels)");
}

} // namespace

CacheReader::CacheReader(const std::string& path, const Identity& identity)
    : path_(path), file_(std::fopen(path.c_str(), "rbe")) {
    if (file_ == nullptr) throw IoError::from_errno(path, "open", errno);
    struct stat status {};
    if (::fstat(::fileno(file_.get()), &status) != 0)
        throw IoError::from_errno(path, "look at", errno);
    const auto size = static_cast<std::uint64_t>(status.st_size);
    Head head;
    if (!S_ISREG(status.st_mode) || size < sizeof(Head))
        throw FormatError(path, "head", 0, fmt::format("is no prompt cache; {}", remedy));
    read(std::as_writable_bytes(std::span(&head, 1)));
    if (!std::equal(std::begin(file_magic), std::end(file_magic), head.magic))
        throw FormatError(path, "head", 0, fmt::format("is no prompt cache; {}", remedy));
    expect_own(path, head, identity);
    const auto damaged = [&](const char* what) {
        return FormatError(path, what, std::nullopt, fmt::format("is damaged; {}", remedy));
    };
    const std::uint64_t a_token = sizeof(tokenizer::TokenId) +
                                  identity.n_layers * identity.n_kv_heads * row_bytes_of(identity);
    if (head.n_layers != identity.n_layers || head.n_kv_heads != identity.n_kv_heads ||
        head.head_dim != identity.head_dim || head.n_tokens > size / a_token ||
        size != sizeof(Head) + head.n_tokens * a_token + sizeof(hash_))
        throw damaged("size");
    tokens_.resize(head.n_tokens);
    read(std::as_writable_bytes(std::span(tokens_)));
    const auto is_token = [&](tokenizer::TokenId id) {
        return id >= 0 && static_cast<std::size_t>(id) < identity.vocab_size;
    };
    if (head.hash != hash_of_head(head, tokens_) || !std::ranges::all_of(tokens_, is_token))
        throw damaged("head");
    arithmetic_ = text_of(head.arithmetic);
    hash_ = head.hash;
}

void CacheReader::read(std::span<std::byte> bytes) {
    if (std::fread(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size()) return;
    throw IoError::from_errno(path_, "read", std::ferror(file_.get()) != 0 ? errno : EIO);
}

void CacheReader::next(std::span<std::byte> rows) {
    read(rows);
    hash_ = hash_bytes(rows, hash_);
}

void CacheReader::expect_whole() {
    std::uint64_t written = 0;
    read(std::as_writable_bytes(std::span(&written, 1)));
    if (written != hash_)
        throw FormatError(path_, "keys and values", std::nullopt,
                          fmt::format("are damaged; {}", remedy));
}

CacheWriter::CacheWriter(const std::string& path, const Identity& identity,
                         std::string_view arithmetic, std::span<const tokenizer::TokenId> tokens)
    : path_(path), output_(path), file_(std::fopen(output_.part().c_str(), "wbe")) {
    if (file_ == nullptr) {
        errno_ = errno;
        return;
    }
    Head head;
    std::copy(std::begin(file_magic), std::end(file_magic), head.magic);
    head.format = format_version;
    head.key_type = static_cast<std::uint16_t>(identity.cache_types.keys);
    head.value_type = static_cast<std::uint16_t>(identity.cache_types.values);
    head.float_activations = identity.float_activations ? 1 : 0;
    head.head_dim = static_cast<std::uint32_t>(identity.head_dim);
    head.model_hash = identity.model_hash;
    head.n_layers = identity.n_layers;
    head.n_kv_heads = identity.n_kv_heads;
    head.n_tokens = tokens.size();
    put_text(head.program, version());
    put_text(head.arithmetic, arithmetic);
    head.hash = hash_ = hash_of_head(head, tokens);
    write(std::as_bytes(std::span(&head, 1)));
    write(std::as_bytes(tokens));
}

void CacheWriter::write(std::span<const std::byte> bytes) {
    if (errno_ != 0) return;
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size())
        errno_ = errno != 0 ? errno : EIO;
    size_ += bytes.size();
}

void CacheWriter::next(std::span<const std::byte> rows) {
    hash_ = hash_bytes(rows, hash_);
    write(rows);
}

void CacheWriter::finish() {
    write(std::as_bytes(std::span(&hash_, 1)));
    // On the disk before it takes the name: a power cut leaves the old file or the new one.
    if (errno_ == 0 && std::fflush(file_.get()) != 0) errno_ = errno;
    if (errno_ == 0 && !output_.is_dropped() && ::fsync(::fileno(file_.get())) != 0) errno_ = errno;
    if (file_ != nullptr && std::fclose(file_.release()) != 0 && errno_ == 0) errno_ = errno;
    if (errno_ != 0) throw IoError::from_errno(path_, "write", errno_);
    output_.commit();
}

} // namespace pillar::prompt_cache
