#pragma once
// Bytes of a record's payload: values as they lie, texts and lists preceded by their number of
// elements (u64). Reading checks every length against what is left.

#include "journal/records.hpp"

#include "pillar/core/errors.hpp"

#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pillar::recording {

static_assert(std::endian::native == std::endian::little, "journals are little-endian");

class Packer {
  public:
    template <class T>
    void value(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view text) {
        value<std::uint64_t>(text.size());
        bytes_.append(text);
    }
    template <class T>
    void list(std::span<const T> values) {
        static_assert(std::is_trivially_copyable_v<T>);
        value<std::uint64_t>(values.size());
        bytes_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    }
    template <class T>
    void list(const std::vector<T>& values) {
        list(std::span<const T>(values));
    }
    [[nodiscard]] std::string take() { return std::move(bytes_); }

  private:
    std::string bytes_;
};

class Unpacker {
  public:
    Unpacker(std::span<const std::byte> bytes, const Origin& origin, std::string_view what)
        : left_(bytes), origin_(&origin), what_(what) {}

    template <class T>
    T value() {
        static_assert(std::is_trivially_copyable_v<T>);
        T result;
        std::memcpy(&result, take(sizeof(T), 1).data(), sizeof(T));
        return result;
    }
    std::span<const std::byte> bytes() { return take(value<std::uint64_t>(), 1); }
    std::string text() {
        const auto bytes = this->bytes();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    template <class T>
    std::vector<T> list() {
        return of<T>(take(value<std::uint64_t>(), sizeof(T)));
    }
    /// All that is left, without a length before it.
    template <class T>
    std::vector<T> rest() {
        if (left_.size() % sizeof(T) != 0) fail();
        return of<T>(std::exchange(left_, {}));
    }
    /// A number of things that take at least `min_bytes` each.
    std::size_t count(std::size_t min_bytes) {
        const auto n = value<std::uint64_t>();
        if (n > left_.size() / min_bytes) fail();
        return static_cast<std::size_t>(n);
    }
    void expect_end() const {
        if (!left_.empty()) fail();
    }
    [[noreturn]] void fail() const {
        throw FormatError(origin_->file, std::string(what_) + " record", origin_->offset,
                          "makes no sense; it was not written by this version of pillar");
    }

  private:
    template <class T>
    static std::vector<T> of(std::span<const std::byte> bytes) {
        static_assert(std::is_trivially_copyable_v<T>);
        std::vector<T> result(bytes.size() / sizeof(T));
        if (!bytes.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }
    std::span<const std::byte> take(std::uint64_t n, std::size_t size) {
        if (n > left_.size() / size) fail();
        const auto result = left_.first(static_cast<std::size_t>(n) * size);
        left_ = left_.subspan(result.size());
        return result;
    }

    std::span<const std::byte> left_;
    const Origin* origin_;
    std::string_view what_;
};

} // namespace pillar::recording
