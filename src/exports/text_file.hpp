#pragma once
// A text file in the making: written piece by piece, put in its place when whole.

#include "pillar/core/output_file.hpp"

#include <cstdio>
#include <string>
#include <string_view>

namespace pillar::exports {

class TextFile {
  public:
    /// Throws IoError(cannot_create).
    explicit TextFile(const std::string& path);
    ~TextFile();
    TextFile(const TextFile&) = delete;
    TextFile& operator=(const TextFile&) = delete;

    /// Throws IoError.
    void write(std::string_view text);
    /// Throws IoError; without it nothing is there.
    void commit();

  private:
    std::string path_;
    OutputFile output_;
    std::FILE* file_;
};

} // namespace pillar::exports
