#include "pillar/terminal/input_lines.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/terminal/waiting.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace pillar::terminal {

namespace {

constexpr std::size_t read_size = std::size_t{1} << 18;

} // namespace

InputLines::InputLines(const std::string& path)
    : path_(path), is_standard_input_(path == "-"), piece_(read_size) {
    file_ = is_standard_input_ ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_ < 0) throw IoError::from_errno(path, "open", errno);
    struct stat status {};
    is_regular_ = ::fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
}

InputLines::~InputLines() {
    if (!is_standard_input_ && file_ >= 0) ::close(file_);
}

bool InputLines::is_ready() const {
    const std::string_view there(piece_.data() + begin_, end_ - begin_);
    if (is_regular_ || there.find('\n') != std::string_view::npos) return true;
    pollfd look{.fd = file_, .events = POLLIN, .revents = 0};
    return ::poll(&look, 1, 0) != 0;
}

bool InputLines::fill(FunctionRef<void()> heartbeat) {
    for (;;) {
        if (!is_regular_) wait_until_readable(file_, heartbeat);
        const ssize_t n = ::read(file_, piece_.data(), piece_.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw IoError::from_errno(path_, "read", errno);
        begin_ = 0;
        end_ = static_cast<std::size_t>(n);
        return n > 0;
    }
}

std::optional<InputLines::Line> InputLines::next(FunctionRef<void()> heartbeat) {
    Line line;
    bool has_any = false;
    for (;;) {
        if (begin_ == end_ && !fill(heartbeat)) {
            if (!has_any) return std::nullopt;
            break;
        }
        has_any = true;
        const std::string_view there(piece_.data() + begin_, end_ - begin_);
        const std::size_t at = there.find('\n');
        const std::string_view taken = there.substr(0, at);
        const std::size_t room = max_line_bytes - line.text.size();
        line.is_too_long |= taken.size() > room;
        line.text += taken.substr(0, room);
        begin_ += taken.size();
        if (at == std::string_view::npos) continue;
        ++begin_; // the line end
        break;
    }
    if (line.text.ends_with('\r')) line.text.pop_back();
    line.number = n_lines_++;
    return line;
}

std::optional<std::uint64_t> InputLines::count(FunctionRef<void()> heartbeat) const {
    if (is_standard_input_) return std::nullopt;
    std::vector<char> piece(read_size);
    std::uint64_t n_lines = 0;
    char last = '\n';
    for (off_t at = 0;;) {
        heartbeat();
        const ssize_t n = ::pread(file_, piece.data(), piece.size(), at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == ESPIPE) return std::nullopt; // a pipe that has a name
        if (n < 0) throw IoError::from_errno(path_, "read", errno);
        if (n == 0) break;
        at += n;
        n_lines += static_cast<std::uint64_t>(std::count(piece.begin(), piece.begin() + n, '\n'));
        last = piece[static_cast<std::size_t>(n - 1)];
    }
    return n_lines + (last == '\n' ? 0 : 1);
}

} // namespace pillar::terminal
