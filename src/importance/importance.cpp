// Which layout a file has is told by its first four bytes, as everywhere; a .dat file begins with
// its number of entries.

#include "pillar/importance/importance.hpp"

#include "dat_file.hpp"
#include "gguf_file.hpp"

#include "pillar/core/errors.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>

namespace pillar::importance {

std::vector<float> mean_squares(const Entry& entry) {
    std::vector<float> means(entry.sums.size(), 1.0f);
    const std::size_t n_columns = entry.n_columns();
    for (std::size_t i = 0; i < means.size(); ++i) {
        const std::uint64_t count = entry.counts[i / n_columns];
        if (count > 0) means[i] = entry.sums[i] / static_cast<float>(count);
    }
    return means;
}

Matrix read(const std::filesystem::path& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(path.string().c_str(), "rb"), &std::fclose);
    if (!file) throw IoError::from_errno(path.string(), "open", errno);
    std::array<char, 4> magic{};
    const std::size_t n = std::fread(magic.data(), 1, magic.size(), file.get());
    if (std::ferror(file.get()) != 0) throw IoError::from_errno(path.string(), "read", errno);
    return std::string_view(magic.data(), n) == "GGUF" ? read_gguf(path)
                                                       : read_dat(file.get(), path.string());
}

} // namespace pillar::importance
