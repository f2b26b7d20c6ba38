#pragma once
// Keys and values of a prompt, kept in a file from one run to the next (--prompt-cache). Rank 0
// alone reads and writes the file; each rank gets, or gives, its own KV heads. So any number of
// ranks reads what another has written.

#include "pillar/comm/communicator.hpp"
#include "pillar/forward/transformer.hpp"
#include "pillar/prompt_cache/identity.hpp"
#include "pillar/session/options.hpp"
#include "pillar/tokenizer/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pillar::prompt_cache {

class CacheReader; // src/prompt_cache/cache_file.hpp

class PromptCache {
  public:
    /// An empty path: there is none. The path is the same on all ranks.
    PromptCache(std::string path, session::ModelOptions model);
    ~PromptCache();
    PromptCache(const PromptCache&) = delete;
    PromptCache& operator=(const PromptCache&) = delete;

    [[nodiscard]] bool is_wanted() const noexcept { return !path_.empty(); }

    /// Rank 0 only, before the work. Throws where no file can be made (expect_output()); `others`
    /// are read beside the model.
    void expect_place(std::vector<std::string> others) const;
    /// Rank 0 only. Reads the head and the tokens, where there is a file. Throws Error(refused)
    /// where it is of another model, cache type or version, FormatError, IoError.
    void open(std::size_t n_context);
    /// Rank 0 only: those that the file has, by position; none where there is no file.
    [[nodiscard]] std::span<const tokenizer::TokenId> tokens() const noexcept { return tokens_; }
    /// Rank 0 only: how many of these the file begins with, at most all but the last one, whose row
    /// is computed for what follows it.
    [[nodiscard]] std::size_t n_found(std::span<const tokenizer::TokenId> prompt) const noexcept;

    /// Collective. Put the first `n` positions (rank 0's number, at most tokens()) into the empty
    /// `sequence`, and return their tokens on every rank. Once. Nothing is taken, and said so, of a
    /// file whose sums round otherwise than this run's: the text would be another one. Throws
    /// comm::AgreedError.
    std::vector<tokenizer::TokenId> load(comm::Communicator& comm,
                                         forward::Transformer& transformer, std::int32_t sequence,
                                         std::size_t n);
    /// Collective. Replace the file by the first positions of `sequence`, which are these tokens
    /// (rank 0's), where more of them were computed than found in it: what is there already costs
    /// nothing again. Throws comm::AgreedError; the file is then as before.
    void save(comm::Communicator& comm, const forward::Transformer& transformer,
              std::int32_t sequence, std::span<const tokenizer::TokenId> tokens);

  private:
    std::string path_;
    session::ModelOptions model_;
    Identity identity_;
    std::unique_ptr<CacheReader> reader_; ///< until load()
    std::vector<tokenizer::TokenId> tokens_;
};

} // namespace pillar::prompt_cache
