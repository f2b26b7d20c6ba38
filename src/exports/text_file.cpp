#include "text_file.hpp"

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <system_error>

namespace pillar::exports {

TextFile::TextFile(const std::string& path)
    : path_(path), output_(path), file_(std::fopen(output_.part().c_str(), "wb")) {
    if (file_ == nullptr)
        throw IoError(ExitCode::cannot_create, path_,
                      "cannot create: " + std::generic_category().message(errno));
}

TextFile::~TextFile() {
    if (file_ != nullptr) std::fclose(file_);
}

void TextFile::write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size())
        throw IoError::from_errno(path_, "write", errno);
}

void TextFile::commit() {
    const int failed = std::fclose(std::exchange(file_, nullptr));
    if (failed != 0) throw IoError::from_errno(path_, "write", errno);
    output_.commit();
}

} // namespace pillar::exports
