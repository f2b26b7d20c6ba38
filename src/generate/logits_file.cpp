#include "logits_file.hpp"

namespace pillar::generate {

LogitsFile::LogitsFile(const std::string& path, std::span<const std::int32_t> ids,
                       std::size_t vocab_size)
    : output_(path) {
    if (output_.is_dropped()) return; // HDF5 writes to regular files alone
    file_.emplace(output_.part());
    storage::Column id_column =
        file_->root().column<std::int32_t>("ids", {.long_name = "token ids"});
    id_column.append(ids);
    id_column.finish();
    logits_.emplace(file_->root().column<float>(
        "logits", {.long_name = "row t: logits after ids[0..t]", .compress = false}, vocab_size));
}

void LogitsFile::append(std::span<const float> logits) {
    if (logits_) logits_->append(logits);
}

void LogitsFile::close() {
    if (!file_) return;
    logits_->finish();
    file_->close();
    logits_.reset();
    file_.reset();
    output_.commit();
}

} // namespace pillar::generate
