#include "logits_file.hpp"

#include "pillar/core/errors.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace pillar::cli {

LogitsFile::LogitsFile(const std::string& path, std::span<const std::int32_t> ids,
                       std::size_t vocab_size, bool overwrite)
    : path_(path), part_(path + ".part") {
    if (!overwrite && std::filesystem::exists(path))
        throw IoError(ExitCode::cannot_create, path,
                      "the file exists; give another name or --force");
    file_.emplace(part_);
    storage::Column id_column =
        file_->root().column<std::int32_t>("ids", {.long_name = "token ids"});
    id_column.append(ids);
    id_column.finish();
    logits_.emplace(file_->root().column<float>(
        "logits", {.long_name = "row t: logits after ids[0..t]", .compress = false}, vocab_size));
}

LogitsFile::~LogitsFile() {
    if (!file_) return;
    logits_.reset();
    file_.reset();
    std::remove(part_.c_str());
}

void LogitsFile::close() {
    logits_->finish();
    file_->close();
    logits_.reset();
    file_.reset();
    if (std::rename(part_.c_str(), path_.c_str()) != 0)
        throw IoError::from_errno(path_, "rename", errno);
}

} // namespace pillar::cli
