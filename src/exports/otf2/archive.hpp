#pragma once
// An OTF2 archive that is closed when its owner goes, and its texts and regions by number. For
// sources that are compiled with the library only.

#include "pillar/core/errors.hpp"

#include <fmt/core.h>
#include <map>
#include <otf2/otf2.h>
#include <string>
#include <utility>

namespace pillar::exports {

class Otf2Archive {
  public:
    /// A new one in a new folder. Throws IoError.
    explicit Otf2Archive(const std::string& folder);
    ~Otf2Archive() {
        if (archive_ != nullptr) OTF2_Archive_Close(archive_);
    }
    Otf2Archive(const Otf2Archive&) = delete;
    Otf2Archive& operator=(const Otf2Archive&) = delete;

    /// Throws IoError for what is no success.
    void check(OTF2_ErrorCode code) const {
        if (code != OTF2_SUCCESS)
            throw IoError(
                ExitCode::io, folder_,
                fmt::format("cannot write the OTF2 archive: {}", OTF2_Error_GetDescription(code)));
    }
    /// Throws IoError where OTF2 gave none.
    template <class Pointer>
    Pointer* got(Pointer* pointer) const {
        if (pointer == nullptr)
            throw IoError(ExitCode::io, folder_, "cannot write the OTF2 archive");
        return pointer;
    }
    [[nodiscard]] OTF2_Archive* get() const noexcept { return archive_; }
    /// Throws IoError; without it errors of closing go unseen.
    void close() { check(OTF2_Archive_Close(std::exchange(archive_, nullptr))); }

  private:
    std::string folder_;
    OTF2_Archive* archive_ = nullptr;
};

/// Texts and regions, defined when they are named first.
class Otf2Names {
  public:
    Otf2Names(const Otf2Archive& archive, OTF2_GlobalDefWriter* writer)
        : archive_(archive), writer_(writer) {}
    OTF2_StringRef text(const std::string& value);
    OTF2_RegionRef region(const std::string& name, OTF2_RegionRole role, OTF2_Paradigm paradigm);

  private:
    const Otf2Archive& archive_;
    OTF2_GlobalDefWriter* writer_;
    std::map<std::string, OTF2_StringRef> texts_;
    std::map<std::string, OTF2_RegionRef> regions_;
};

} // namespace pillar::exports
