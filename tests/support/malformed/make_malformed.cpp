// make_malformed [--max-bytes N] DIR: every malformed model file (of at most N bytes) and an
// index.json that says what must become of each.
// make_malformed --table FILE: the list of classes as a page.

#include "support/malformed/malformed.hpp"
#include "support/models/tiny_model.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace pillar::support;

void write_all(const std::filesystem::path& folder, std::size_t max_bytes) {
    std::filesystem::create_directories(folder);
    nlohmann::json index = nlohmann::json::array();
    for (const MalformedCase& entry : malformed_cases()) {
        const std::string file = entry.name + ".gguf";
        const std::string bytes = entry.bytes();
        if (bytes.size() > max_bytes) continue;
        write_file(folder / file, bytes);
        index.push_back({{"name", entry.name},
                         {"class", entry.class_name},
                         {"file", file},
                         {"claim", entry.claim},
                         {"verdict", std::string(name_of(entry.verdict))},
                         {"owner", std::string(name_of(entry.owner))},
                         {"expected_field", entry.field},
                         {"expected_exit_code", entry.exit_code()}});
    }
    write_file(folder / "index.json", index.dump(1) + "\n");
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> arguments(argv + 1, argv + argc);
        if (arguments.size() == 2 && arguments[0] == "--table") {
            write_file(arguments[1], malformed_table(malformed_cases()));
        } else if (arguments.size() == 3 && arguments[0] == "--max-bytes") {
            write_all(arguments[2], std::stoull(arguments[1]));
        } else if (arguments.size() == 1 && !arguments[0].starts_with("-")) {
            write_all(arguments[0], std::numeric_limits<std::size_t>::max());
        } else {
            fmt::print(stderr, "usage: make_malformed [--max-bytes N] DIR | --table FILE\n");
            return 64;
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "make_malformed: {}\n", error.what());
        return 1;
    }
    return 0;
}
