#pragma once
// An HDF5 identifier that is closed when its owner goes. hdf5.h stays inside src/storage; its hid_t
// is a 64-bit integer, which handle.cpp asserts.

#include <cstdint>
#include <utility>

namespace pillar::storage {

class Handle {
  public:
    using Id = std::int64_t;
    using Close = int (*)(Id);

    Handle() = default;
    Handle(Id id, Close with) noexcept : id_(id), close_(with) {}
    ~Handle() { close(); }
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, none)), close_(other.close_) {}
    Handle& operator=(Handle&& other) noexcept {
        if (this != &other) {
            close();
            id_ = std::exchange(other.id_, none);
            close_ = other.close_;
        }
        return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    [[nodiscard]] Id get() const noexcept { return id_; }
    [[nodiscard]] bool is_open() const noexcept { return id_ >= 0; }
    /// Close now; HDF5's answer (negative: it failed). Nothing happens when it is closed already.
    int close() noexcept { return is_open() ? close_(std::exchange(id_, none)) : 0; }

  private:
    static constexpr Id none = -1;
    Id id_ = none;
    Close close_ = nullptr;
};

} // namespace pillar::storage
