#ifdef PILLAR_HAVE_OTF2

#include "archive.hpp"

namespace pillar::exports {

namespace {

constexpr std::uint64_t chunk_bytes = 1 << 20;

/// OTF2 tells its errors here instead of on stderr; what failed is in what it returns.
OTF2_ErrorCode be_silent(void*, const char*, std::uint64_t, const char*, OTF2_ErrorCode code,
                         const char*, va_list) {
    return code;
}

OTF2_FlushType before_flush(void*, OTF2_FileType, OTF2_LocationRef, void*, bool) {
    return OTF2_FLUSH;
}
constexpr OTF2_FlushCallbacks flush_callbacks{before_flush, nullptr};

} // namespace

Otf2Archive::Otf2Archive(const std::string& folder) : folder_(folder) {
    OTF2_Error_RegisterCallback(be_silent, nullptr);
    archive_ = OTF2_Archive_Open(folder.c_str(), "traces", OTF2_FILEMODE_WRITE, chunk_bytes,
                                 chunk_bytes, OTF2_SUBSTRATE_POSIX, OTF2_COMPRESSION_NONE);
    if (archive_ == nullptr)
        throw IoError(ExitCode::cannot_create, folder, "cannot create an OTF2 archive");
    check(OTF2_Archive_SetFlushCallbacks(archive_, &flush_callbacks, nullptr));
    check(OTF2_Archive_SetSerialCollectiveCallbacks(archive_));
    check(OTF2_Archive_SetCreator(archive_, "pillar"));
    check(OTF2_Archive_OpenEvtFiles(archive_));
}

OTF2_StringRef Otf2Names::text(const std::string& value) {
    const auto [entry, is_new] =
        texts_.try_emplace(value, static_cast<OTF2_StringRef>(texts_.size()));
    if (is_new)
        archive_.check(OTF2_GlobalDefWriter_WriteString(writer_, entry->second, value.c_str()));
    return entry->second;
}

OTF2_RegionRef Otf2Names::region(const std::string& name, OTF2_RegionRole role,
                                 OTF2_Paradigm paradigm) {
    const auto [entry, is_new] =
        regions_.try_emplace(name, static_cast<OTF2_RegionRef>(regions_.size()));
    if (is_new)
        archive_.check(OTF2_GlobalDefWriter_WriteRegion(writer_, entry->second, text(name),
                                                        text(name), text(""), role, paradigm,
                                                        OTF2_REGION_FLAG_NONE, text(""), 0, 0));
    return entry->second;
}

} // namespace pillar::exports

#endif
