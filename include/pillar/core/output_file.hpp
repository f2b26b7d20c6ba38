#pragma once
// Files that a command writes: whether one can be written, found out before the work; and a file in
// the making, which is put in its place when it is whole.
//
// An output is a regular file. A symbolic link is followed: what it names is written or replaced,
// the link stays. /dev/null may be named too, nothing is kept then. Everything else (a folder, a
// device, a pipe, a socket) is refused.

#include "pillar/core/errors.hpp"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace pillar {

/// Where the bytes of `path` go: the file that its symbolic links lead to, which need not exist.
/// Throws IoError(cannot_create) where it is, or would be, no regular file; /dev/null is itself.
std::string output_target(const std::string& path);

/// Whether what is written there is dropped: /dev/null.
bool drops_output(const std::string& target);

/// Throws where no file can be made at `path`: UsageError (64) where it, or one of the files beside
/// it that are written meanwhile (`beside`: endings of the target's name), is one of `inputs` or a
/// standard stream, by whatever name; IoError (73) where a file exists that `replace` does not
/// allow to be replaced, or a folder is missing or not writable. Creates nothing.
void expect_output(const std::string& path, bool replace, std::span<const std::string> inputs,
                   std::initializer_list<std::string_view> beside = {".part"});

/// Written as TARGET.part, renamed when whole, removed when not.
class OutputFile {
  public:
    /// Throws IoError(cannot_create). Creates nothing; a part that an earlier run has left is
    /// removed.
    explicit OutputFile(const std::string& path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// What to create and write to.
    [[nodiscard]] const std::string& part() const noexcept { return part_; }
    [[nodiscard]] bool is_dropped() const noexcept { return target_ == part_; }
    /// The part is whole and closed: give it its name. Throws IoError(cannot_create).
    void commit();

  private:
    std::string path_; ///< as given
    std::string target_;
    std::string part_; ///< the target itself where all is dropped
    bool is_committed_ = false;
};

/// For a process that is about to end: remove the parts of all living OutputFiles. May be called
/// by another thread.
void remove_unfinished_outputs() noexcept;

} // namespace pillar
