#pragma once
// The two small messages of a step as bytes: rank 0's request (broadcast) and a rank's
// reply (gather). Same machine type on all ranks (checked at start), so plain memory copies do.

#include "pillar/engine/step.hpp"

#include <cstddef>
#include <cstring>
#include <span>

namespace pillar::engine {

/// Head of the request; keeps, samplings, biases, rows and labels follow.
struct RequestHead {
    std::uint64_t step = 0;
    std::uint32_t n_keeps = 0;
    std::uint32_t n_samplings = 0;
    std::uint32_t n_biases = 0;
    std::uint32_t n_rows = 0;
    Phase phase = Phase::prefill;
    std::uint8_t stop = 0;        ///< no step: leave the loop
    std::uint8_t failed = 0;      ///< with stop: a rank has an error to tell
    std::uint8_t signalled = 0;   ///< with stop: because of SIGUSR1
    std::uint8_t gather = 0;      ///< observers gather after this step
    std::uint8_t has_labels = 0;  ///< one for each row with logits, at the end
    std::uint8_t is_draft = 0;    ///< a step of the draft model
    std::uint8_t padding[1] = {}; ///< so that no byte of the message is undefined
};

struct RequestRow {
    std::int32_t token, position, sequence;
    std::uint32_t want_logits;
};

/// Head of the reply; for each row with logits an ReplyRow and its candidates (or the rank's full
/// row) follow.
struct ReplyHead {
    std::uint64_t residual_hash = 0;
    std::uint32_t failed = 0; ///< this rank has an error to tell
    std::uint32_t signalled = 0;
    std::uint32_t n_rows = 0;
    std::uint32_t padding = 0;
};

struct ReplyRow {
    double sum = 0; ///< Σ exp(raw logit − max) over the rank's vocabulary rows
    float max = 0;
    std::uint32_t n_candidates = 0;
};

struct ReplyCandidate {
    std::int32_t id;
    float logit; ///< after penalties
    float raw;
};

/// Appends plain values to a buffer that is large enough.
class MessageWriter {
  public:
    explicit MessageWriter(std::span<std::byte> buffer) : buffer_(buffer) {}
    template <class T>
    void put(const T& value) noexcept {
        put_all(std::span<const T>(&value, 1));
    }
    template <class T>
    void put_all(std::span<const T> values) noexcept {
        if (values.empty()) return; // null is no source, of nothing either
        std::memcpy(buffer_.data() + size_, values.data(), values.size_bytes());
        size_ += values.size_bytes();
    }
    [[nodiscard]] std::span<const std::byte> message() const noexcept {
        return buffer_.first(size_);
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

  private:
    std::span<std::byte> buffer_;
    std::size_t size_ = 0;
};

/// Takes them out again; the writer ran the same program, so lengths are trusted.
class MessageReader {
  public:
    explicit MessageReader(std::span<const std::byte> message) : message_(message) {}
    template <class T>
    T get() noexcept {
        T value;
        get_all(std::span<T>(&value, 1));
        return value;
    }
    template <class T>
    void get_all(std::span<T> values) noexcept {
        if (values.empty()) return;
        std::memcpy(values.data(), message_.data() + position_, values.size_bytes());
        position_ += values.size_bytes();
    }

  private:
    std::span<const std::byte> message_;
    std::size_t position_ = 0;
};

} // namespace pillar::engine
