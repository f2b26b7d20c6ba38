#pragma once
// The HDF5 C API with this module's conventions: silent error stack, failures as IoError.

#include "pillar/storage/column.hpp"

#include <hdf5.h>
#include <string_view>

namespace pillar::storage {

/// Switch off HDF5's own printing and its exit handler; called before anything else of HDF5's.
void start_hdf5() noexcept;

/// How files are opened: without asking for locks, which some network file systems refuse. A file
/// is written once, by one process, under a name that nobody else opens; HDF5_USE_FILE_LOCKING=TRUE
/// asks for them all the same.
[[nodiscard]] Handle file_access(const Location& location);

/// Throw IoError(code): "FILE: cannot OPERATION PATH: HDF5's or the system's reason".
[[noreturn]] void fail(const Location& location, std::string_view operation,
                       ExitCode code = ExitCode::io);

/// Pass a good answer (≥ 0) on, fail otherwise.
template <class Answer>
Answer check(Answer answer, const Location& location, std::string_view operation) {
    if (answer < 0) fail(location, operation);
    return answer;
}

[[nodiscard]] hid_t native_type(Type type) noexcept;
/// Little-endian, the same file on every machine.
[[nodiscard]] hid_t file_type(Type type) noexcept;
/// Variable-length UTF-8.
[[nodiscard]] Handle text_type(const Location& location);

/// Units, phrase and enumeration of a dataset, as attributes.
void describe(Handle::Id object, const Location& location, const Description& what);

/// A scalar attribute, or for u8 a one-dimensional one.
void write_attribute(hid_t object, const Location& location, const char* name, const Value& value);
void write_attribute(hid_t object, const Location& location, const char* name,
                     std::span<const std::uint8_t> values);

} // namespace pillar::storage
