#include "pillar/prompt_cache/prompt_cache.hpp"

#include "cache_file.hpp"

#include "pillar/comm/agree.hpp"
#include "pillar/comm/exchange.hpp"
#include "pillar/core/hash.hpp"
#include "pillar/core/log.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/core/text.hpp"
#include "pillar/session/model_file.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fmt/core.h>

namespace pillar::prompt_cache {

namespace {

using log::Level;

/// Which sums the keys and values come from. The same text: the same bits.
std::string arithmetic_of(const forward::Transformer& transformer, comm::Wire wire) {
    const partition::Share& share = transformer.share();
    const std::string by_weights =
        share.weights.empty()
            ? ""
            : fmt::format(" ({:016x})", hash_of(std::span<const double>(share.weights)));
    return fmt::format("{} slices{}, {} wire", share.n_slices, by_weights, comm::name_of(wire));
}

/// The rows of one layer and KV head, from the lowest rank that has it. Empty on others than
/// rank 0.
std::string gather_rows(comm::Communicator& comm, const forward::Transformer& transformer,
                        std::int32_t sequence, std::size_t n, std::size_t layer,
                        std::size_t kv_head, std::vector<std::byte>& rows) {
    const Range own = transformer.share().kv_heads;
    const bool is_own = own.begin <= kv_head && kv_head < own.end;
    std::string_view mine;
    if (is_own) {
        transformer.read_kv(sequence, n, layer, kv_head - own.begin, rows);
        mine = {reinterpret_cast<const char*>(rows.data()), rows.size()};
    }
    for (std::string& all : comm.gather_to_root(mine))
        if (!all.empty()) return std::move(all);
    return {};
}

} // namespace

PromptCache::PromptCache(std::string path, session::ModelOptions model)
    : path_(std::move(path)), model_(std::move(model)) {}
PromptCache::~PromptCache() = default;

void PromptCache::expect_place(std::vector<std::string> others) const {
    if (is_wanted()) expect_output(path_, true, session::files_read(model_, std::move(others)));
}

void PromptCache::open(std::size_t n_context) {
    if (!is_wanted()) return;
    const bool is_float = model_.family != nullptr && model_.family->float_activations;
    identity_ =
        identity_of(session::open_model_file(model_), n_context, model_.cache_types, is_float);
    std::error_code unknown;
    if (!std::filesystem::exists(path_, unknown) || drops_output(path_)) return;
    reader_ = std::make_unique<CacheReader>(path_, identity_);
    tokens_.assign(reader_->tokens().begin(), reader_->tokens().end());
}

std::size_t PromptCache::n_found(std::span<const tokenizer::TokenId> prompt) const noexcept {
    if (prompt.empty()) return 0;
    const auto end = std::ranges::mismatch(tokens_, prompt.first(prompt.size() - 1)).in1;
    return static_cast<std::size_t>(end - tokens_.begin());
}

std::vector<tokenizer::TokenId> PromptCache::load(comm::Communicator& comm,
                                                  forward::Transformer& transformer,
                                                  std::int32_t sequence, std::size_t n) {
    const std::unique_ptr<CacheReader> reader = std::move(reader_); // is closed in any case
    if (n > 0 && reader != nullptr &&
        reader->arithmetic() != arithmetic_of(transformer, model_.wire)) {
        log::root(Level::warning,
                  "{}: its sums were made in {}, those of this run are made in {} and round "
                  "otherwise: the prompt is computed anew",
                  printable(path_, 4096), printable(reader->arithmetic()),
                  arithmetic_of(transformer, model_.wire));
        tokens_.clear();
        n = 0;
    }
    n = comm::broadcast_from_root<std::uint64_t>(comm, n);
    if (n == 0) return {};
    const std::vector<tokenizer::TokenId> mine(
        tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(comm.is_root() ? n : 0));
    std::vector<tokenizer::TokenId> tokens = comm::broadcast_from_root(comm, mine);
    const std::size_t row_bytes = transformer.kv_row_bytes();
    std::vector<std::byte> all, rows;
    comm::agree(comm, [&] {
        all.resize(tokens_.size() * row_bytes); // rank 0's
        rows.resize(n * row_bytes);
        expects(transformer.reserve(sequence, n), "the pool has pages for what is loaded");
    });
    const Range own = transformer.share().kv_heads;
    std::optional<Error> failure; // the others take part until the end
    for (std::size_t layer = 0; layer < transformer.hyperparameters().n_layers; ++layer)
        for (std::size_t head = 0; head < transformer.hyperparameters().n_kv_heads; ++head) {
            try {
                if (reader != nullptr && !failure) reader->next(all);
            } catch (const Error& error) {
                failure = error;
            }
            comm.heartbeat();
            const std::string got = comm.broadcast_from_root(
                {reinterpret_cast<const char*>(all.data()), comm.is_root() ? n * row_bytes : 0});
            if (head < own.begin || head >= own.end) continue;
            std::memcpy(rows.data(), got.data(), rows.size());
            transformer.write_kv(sequence, n, layer, head - own.begin, rows);
        }
    comm::agree(comm, [&] {
        if (failure) throw Error(*failure);
        if (reader != nullptr) reader->expect_whole();
    });
    log::root(Level::info, "cache    {} from {}", counted(n, "token"), printable(path_, 4096));
    return tokens;
}

void PromptCache::save(comm::Communicator& comm, const forward::Transformer& transformer,
                       std::int32_t sequence, std::span<const tokenizer::TokenId> tokens) {
    const auto end = std::ranges::mismatch(tokens_, tokens).in1;
    const auto n_there = static_cast<std::size_t>(end - tokens_.begin());
    const std::size_t n_worth = tokens.size() - n_there > n_there ? tokens.size() : 0;
    const std::size_t n = comm::broadcast_from_root<std::uint64_t>(comm, n_worth);
    if (n == 0) return;
    std::optional<CacheWriter> writer;
    std::vector<std::byte> rows;
    comm::agree(comm, [&] {
        rows.resize(n * transformer.kv_row_bytes());
        if (comm.is_root())
            writer.emplace(path_, identity_, arithmetic_of(transformer, model_.wire), tokens);
    });
    for (std::size_t layer = 0; layer < transformer.hyperparameters().n_layers; ++layer)
        for (std::size_t head = 0; head < transformer.hyperparameters().n_kv_heads; ++head) {
            const std::string all = gather_rows(comm, transformer, sequence, n, layer, head, rows);
            if (writer) writer->next(std::as_bytes(std::span(all)));
            comm.heartbeat();
        }
    comm::agree(comm, [&] {
        if (writer) writer->finish();
    });
    log::root(Level::info, "cache    {} kept in {} ({})", counted(n, "token"),
              printable(path_, 4096),
              human_bytes(writer ? static_cast<double>(writer->size_bytes()) : 0.0));
}

} // namespace pillar::prompt_cache
