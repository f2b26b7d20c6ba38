#include "pillar/terminal/prompt_text.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/terminal/waiting.hpp"

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <fmt/core.h>
#include <unistd.h>

namespace pillar::terminal {

std::string process_escapes(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char next = text[++i];
        switch (next) {
        case 'n':
            out += '\n';
            break;
        case 'r':
            out += '\r';
            break;
        case 't':
            out += '\t';
            break;
        case '\\':
        case '\'':
        case '"':
            out += next;
            break;
        case 'x':
            if (i + 2 < text.size() &&
                std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0) {
                out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
                i += 2;
                break;
            }
            [[fallthrough]];
        default:
            out += '\\', out += next;
        }
    }
    return out;
}

namespace {

std::string read_all(std::FILE* stream, const std::string& name, FunctionRef<void()> heartbeat,
                     std::size_t max_bytes, std::string_view why) {
    std::string text;
    char buffer[65536];
    for (;;) {
        wait_until_readable(fileno(stream), heartbeat);
        const ssize_t n = ::read(fileno(stream), buffer, sizeof buffer);
        if (n == 0) return text;
        if (n > 0) {
            text.append(buffer, static_cast<std::size_t>(n));
            if (text.size() > max_bytes)
                throw UsageError(fmt::format("the prompt from {} has more than {} bytes: {}",
                                             printable(name), max_bytes, why));
        } else if (errno == EBADF) {
            throw IoError(ExitCode::io, name, "it is closed; give the prompt with -p or -f FILE");
        } else if (errno != EINTR && errno != EAGAIN) {
            throw IoError::from_errno(name, "read", errno);
        }
    }
}

} // namespace

std::string read_prompt(const PromptOptions& options, FunctionRef<void()> heartbeat,
                        std::size_t max_bytes, std::string_view why) {
    if (options.prompt) return options.escape ? process_escapes(*options.prompt) : *options.prompt;
    const bool from_stdin = options.file == "-" || options.file.empty();
    if (from_stdin) {
        if (options.file.empty() && isatty(STDIN_FILENO) != 0)
            throw UsageError("no prompt: give one with -p TEXT, -f FILE, or on standard input");
        return read_all(stdin, "standard input", heartbeat, max_bytes, why);
    }
    std::FILE* file = std::fopen(options.file.c_str(), "rb");
    if (file == nullptr) throw IoError::from_errno(options.file, "open", errno);
    try {
        std::string text = read_all(file, options.file, heartbeat, max_bytes, why);
        std::fclose(file);
        return text;
    } catch (...) {
        std::fclose(file);
        throw;
    }
}

} // namespace pillar::terminal
