#include "pillar/exports/exports.hpp"

#include "pillar/core/errors.hpp"

#ifdef PILLAR_HAVE_OTF2

#include "writer.hpp"

#include <filesystem>

#endif

namespace pillar::exports {

#ifndef PILLAR_HAVE_OTF2

bool has_otf2() noexcept {
    return false;
}

void export_otf2(const std::string& /*trace*/, const std::string& /*folder*/, bool /*force*/) {
    throw Error(ExitCode::refused, "--export otf2: this pillar was built without OTF2; install "
                                   "libopen-trace-format2-dev and build it again");
}

#else

bool has_otf2() noexcept {
    return true;
}

namespace {

namespace fs = std::filesystem;

/// Removes a folder in the making unless it got its name.
class Otf2Folder {
  public:
    explicit Otf2Folder(std::string folder) : folder_(std::move(folder)), part_(folder_ + ".part") {
        std::error_code none;
        fs::remove_all(part_, none);
    }
    ~Otf2Folder() {
        std::error_code none;
        fs::remove_all(part_, none);
    }
    Otf2Folder(const Otf2Folder&) = delete;
    Otf2Folder& operator=(const Otf2Folder&) = delete;
    [[nodiscard]] const std::string& part() const noexcept { return part_; }
    /// Into its place; what stood there of an earlier archive goes.
    void commit() {
        try {
            fs::create_directories(folder_);
            for (const char* name : {"traces", "traces.def", "traces.otf2"}) {
                fs::remove_all(fs::path(folder_) / name);
                fs::rename(fs::path(part_) / name, fs::path(folder_) / name);
            }
        } catch (const fs::filesystem_error& error) {
            throw IoError(ExitCode::cannot_create, folder_,
                          "cannot create: " + error.code().message());
        }
    }

  private:
    std::string folder_, part_;
};

std::string without_slash(std::string folder) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    return folder;
}

} // namespace

void export_otf2(const std::string& path, const std::string& folder, bool force) {
    const std::string target = without_slash(folder);
    std::error_code problem;
    if (fs::exists(fs::path(target) / "traces.otf2", problem) && !force)
        throw IoError(ExitCode::cannot_create, (fs::path(target) / "traces.otf2").string(),
                      "exists already; --force replaces it");
    if (fs::exists(target, problem) && !fs::is_directory(target, problem))
        throw IoError(ExitCode::cannot_create, target, "is no folder");
    const trace::Trace trace = trace::read_trace(path);
    Otf2Folder output(target);
    Otf2Archive archive(output.part());
    write_otf2(trace, archive);
    archive.close();
    output.commit();
}

#endif

} // namespace pillar::exports
