// Files for gnuplot in a folder of their own, gnuplot over them, and what it made of them.

#include "pillar/core/errors.hpp"
#include "pillar/core/output_file.hpp"
#include "pillar/plots/draw.hpp"
#include "script.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pillar::plots {

namespace {

namespace fs = std::filesystem;

constexpr std::array endings{".svg", ".png", ".gnuplot"};

/// Removed with all that is in it.
class WorkingFolder {
  public:
    explicit WorkingFolder(const fs::path& parent) {
        std::string name = (parent / ".pillar-figures-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw IoError(ExitCode::cannot_create, parent.string(),
                          fmt::format("cannot make a folder in it: {}",
                                      std::generic_category().message(errno)));
        path_ = name;
    }
    ~WorkingFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    WorkingFolder(const WorkingFolder&) = delete;
    WorkingFolder& operator=(const WorkingFolder&) = delete;
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

  private:
    fs::path path_;
};

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw IoError::from_errno(path.string(), "open", errno);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw IoError(ExitCode::io, path.string(), "cannot be written");
}

/// Draws NAME.svg for screens and pages, NAME.png for print; `gnuplot NAME.gnuplot` does it again.
std::string script_of(const Figure& figure) {
    const std::string title = in_double_quotes(figure.title, figure.subject);
    std::string body = figure.script;
    if (const std::size_t panels = body.find("set multiplot"); panels != std::string::npos) {
        body.insert(body.find('\n', panels), " title " + title);
    } else {
        body.insert(0, "set title " + title + "\n");
    }
    return fmt::format(
               "# {}\n# {}\nreset session\nset terminal svg size {},{} dynamic noenhanced font "
               "'sans-serif,15' background '#ffffff'\nset output '{}.svg'\n",
               printable(figure.title, 200), printable(figure.caption, 400), figure.width,
               figure.height, figure.name) +
           body +
           fmt::format(
               "set output\n\nreset session\nset terminal pngcairo size {},{} noenhanced font "
               "'sans-serif,30' linewidth 2 pointscale 1.8\nset output '{}.png'\n",
               2 * figure.width, 2 * figure.height, figure.name) +
           body + "set output\n";
}

/// In the folder, over these scripts.
void run_gnuplot(const fs::path& folder, std::span<const Figure> figures) {
    std::vector<std::string> words{"gnuplot"};
    for (const Figure& figure : figures) words.push_back(figure.name + ".gnuplot");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string errors = (folder / "errors").string();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    pid_t process = 0;
    const int problem =
        ::posix_spawnp(&process, "gnuplot", &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (problem == ENOENT)
        throw Error(ExitCode::refused, "gnuplot draws the figures and is not installed here: the "
                                       "package gnuplot-nox has it (apt install gnuplot-nox, or "
                                       "jobs/lib/packages.sh test)");
    if (problem != 0)
        throw Error(ExitCode::io, fmt::format("gnuplot cannot be started: {}",
                                              std::generic_category().message(problem)));
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    const std::string words_of_it = read_file(errors);
    if (status != 0)
        throw Error(ExitCode::internal,
                    "gnuplot could not draw the figures: " + printable(words_of_it, 400));
}

void draw_in(const fs::path& folder, std::span<const Figure> figures) {
    for (const Figure& figure : figures)
        write_file(folder / (figure.name + ".gnuplot"), script_of(figure));
    run_gnuplot(folder, figures);
    for (const Figure& figure : figures)
        for (const char* ending : endings) {
            const fs::path path = folder / (figure.name + ending);
            if (!fs::exists(path) || fs::file_size(path) == 0)
                throw Error(ExitCode::internal,
                            fmt::format("gnuplot has not drawn {}{}", figure.name, ending));
        }
}

} // namespace

void expect_figures(std::span<const Figure> figures, const std::string& folder, bool replace,
                    std::span<const std::string> inputs) {
    std::error_code problem;
    if (!fs::is_directory(folder, problem)) {
        fs::create_directory(folder, problem);
        if (problem || !fs::is_directory(folder))
            throw IoError(ExitCode::cannot_create, folder,
                          fmt::format("cannot be made as a folder: {}",
                                      problem ? problem.message() : "something else is there"));
    }
    for (const Figure& figure : figures)
        for (const char* ending : endings)
            expect_output((fs::path(folder) / (figure.name + ending)).string(), replace, inputs);
}

void draw(std::span<const Figure> figures, const std::string& folder) {
    if (figures.empty()) return;
    const WorkingFolder working{fs::path(folder)};
    draw_in(working.path(), figures);
    for (const Figure& figure : figures)
        for (const char* ending : endings) {
            const fs::path target = fs::path(folder) / (figure.name + ending);
            std::error_code problem;
            fs::rename(working.path() / (figure.name + ending), target, problem);
            if (problem) throw IoError(ExitCode::cannot_create, target.string(), problem.message());
        }
}

std::vector<std::string> svgs_of(std::span<const Figure> figures) {
    std::vector<std::string> svgs;
    if (figures.empty()) return svgs;
    const WorkingFolder working(fs::temp_directory_path());
    draw_in(working.path(), figures);
    for (const Figure& figure : figures)
        svgs.push_back(read_file(working.path() / (figure.name + ".svg")));
    return svgs;
}

} // namespace pillar::plots
