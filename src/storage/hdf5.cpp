// Types, and what HDF5's error stack says put into one sentence.

#include "hdf5.hpp"

#include <cstdlib>
#include <fmt/core.h>
#include <string>

namespace pillar::storage {

static_assert(std::is_same_v<hid_t, Handle::Id> && std::is_same_v<herr_t, int>);

namespace {

/// The innermost entry of the stack is the reason; the system's message inside it is the best part.
herr_t take_innermost(unsigned depth, const H5E_error2_t* entry, void* reason) {
    if (depth == 0 && entry->desc != nullptr) *static_cast<std::string*>(reason) = entry->desc;
    return 0;
}

std::string last_reason() {
    std::string reason;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &reason);
    H5Eclear2(H5E_DEFAULT);
    constexpr std::string_view mark = "error message = '";
    if (const auto begin = reason.find(mark); begin != std::string::npos) {
        const auto text = begin + mark.size();
        return reason.substr(text, reason.find('\'', text) - text);
    }
    return reason.empty() ? "HDF5 gives no reason" : reason;
}

} // namespace

void start_hdf5() noexcept {
    // HDF5 reads its variable once, and BEST_EFFORT would overrule what file_access() says: it asks
    // for a lock and forgives only ENOSYS.
    const char* const locking = std::getenv("HDF5_USE_FILE_LOCKING");
    if (locking != nullptr && std::string_view(locking) == "BEST_EFFORT")
        ::unsetenv("HDF5_USE_FILE_LOCKING");
    // After a failed write HDF5 1.10 crashes in its own exit handler; files are closed explicitly
    // here, so it has nothing to do. A second call does nothing.
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Handle file_access(const Location& location) {
    Handle access(check(H5Pcreate(H5P_FILE_ACCESS), location, "open"), H5Pclose);
    constexpr bool use_locks = false;
    constexpr bool ignore_where_there_are_none = true;
    check(H5Pset_file_locking(access.get(), use_locks, ignore_where_there_are_none), location,
          "open");
    return access;
}

void fail(const Location& location, std::string_view operation, ExitCode code) {
    std::string reason = last_reason();
    if (reason.starts_with("truncated file"))
        throw FormatError(location.file, "", std::nullopt,
                          "is cut off: it has fewer bytes than it says; copy it again");
    // Not "sblock", which other sentences of HDF5's have.
    if (reason.find("lock file") != std::string::npos ||
        reason.find("locks available") != std::string::npos) {
        reason += "; on a network file system set HDF5_USE_FILE_LOCKING=FALSE";
    }
    throw IoError(code, location.file,
                  fmt::format("cannot {} {}: {}", operation, location.path, reason));
}

hid_t native_type(Type type) noexcept {
    switch (type) {
    case Type::u8:
        return H5T_NATIVE_UINT8;
    case Type::u32:
        return H5T_NATIVE_UINT32;
    case Type::u64:
        return H5T_NATIVE_UINT64;
    case Type::i32:
        return H5T_NATIVE_INT32;
    case Type::i64:
        return H5T_NATIVE_INT64;
    case Type::f32:
        return H5T_NATIVE_FLOAT;
    case Type::f64:
        break;
    }
    return H5T_NATIVE_DOUBLE;
}

hid_t file_type(Type type) noexcept {
    switch (type) {
    case Type::u8:
        return H5T_STD_U8LE;
    case Type::u32:
        return H5T_STD_U32LE;
    case Type::u64:
        return H5T_STD_U64LE;
    case Type::i32:
        return H5T_STD_I32LE;
    case Type::i64:
        return H5T_STD_I64LE;
    case Type::f32:
        return H5T_IEEE_F32LE;
    case Type::f64:
        break;
    }
    return H5T_IEEE_F64LE;
}

Handle text_type(const Location& location) {
    Handle type(check(H5Tcopy(H5T_C_S1), location, "describe"), H5Tclose);
    check(H5Tset_size(type.get(), H5T_VARIABLE), location, "describe");
    check(H5Tset_cset(type.get(), H5T_CSET_UTF8), location, "describe");
    return type;
}

} // namespace pillar::storage
