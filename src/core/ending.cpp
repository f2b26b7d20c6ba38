// The abort hook, and exceptions as sentences.

#include "pillar/core/log.hpp"
#include "pillar/core/program.hpp"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <fmt/core.h>
#include <new>
#include <system_error>
#include <unistd.h>

namespace pillar {

namespace {

using Callback = void (*)() noexcept;
std::atomic<Callback> abort_hook{nullptr};

constexpr const char* memory_has_run_out =
    "memory has run out; look at `ulimit -v` and the limits of the control group, or use more "
    "ranks, a shorter context (-c) or a smaller model";

Outcome internal(std::string_view what) {
    return {ExitCode::internal,
            fmt::format("internal error: {}; please report it with the command line", what)};
}

[[noreturn]] void tell_and_leave() noexcept {
    ExitCode code = ExitCode::internal;
    try {
        if (std::current_exception() != nullptr) throw;
        log::error("{}", internal("std::terminate was called").sentence);
    } catch (const std::bad_alloc&) { // without asking for more
        code = ExitCode::refused;
        const std::string_view text = memory_has_run_out;
        [[maybe_unused]] ssize_t n = ::write(STDERR_FILENO, "[pillar] error: ", 16);
        n = ::write(STDERR_FILENO, text.data(), text.size());
        n = ::write(STDERR_FILENO, "\n", 1);
    } catch (...) {
        const Outcome outcome = outcome_of_exception();
        code = outcome.code;
        log::error("{}", outcome.sentence);
    }
    run_abort_hook();
    std::_Exit(static_cast<int>(code));
}

} // namespace

void set_abort_hook(Callback callback) noexcept {
    abort_hook.store(callback);
}

void run_abort_hook() noexcept {
    if (const Callback callback = abort_hook.exchange(nullptr)) callback();
}

void tell_on_terminate() noexcept {
    std::set_terminate(tell_and_leave);
}

Outcome outcome_of_exception() {
    try {
        throw;
    } catch (const Error& error) {
        return {error.code(), error.what()};
    } catch (const std::bad_alloc&) {
        return {ExitCode::refused, memory_has_run_out};
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::resource_unavailable_try_again)
            return internal(error.what());
        return {ExitCode::refused,
                fmt::format("the system starts no more threads ({}): look at `ulimit -v` and "
                            "`ulimit -u`, or use fewer (-t)",
                            error.code().message())};
    } catch (const std::exception& error) {
        return internal(error.what());
    } catch (...) {
        return internal("something was thrown that is not an exception");
    }
}

} // namespace pillar
