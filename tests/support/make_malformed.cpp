// make_malformed DIR: every malformed model file and an index.json that says what must become of
// each. make_malformed --table FILE: the list of classes as a page.

#include "support/malformed.hpp"
#include "support/tiny_model.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

namespace {

using namespace pillar::support;

void write_all(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    nlohmann::json index = nlohmann::json::array();
    for (const MalformedCase& entry : malformed_cases()) {
        const std::string file = entry.name + ".gguf";
        write_file(folder / file, entry.bytes());
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
        if (argc == 3 && std::string(argv[1]) == "--table") {
            write_file(argv[2], malformed_table(malformed_cases()));
        } else if (argc == 2 && argv[1][0] != '-') {
            write_all(argv[1]);
        } else {
            fmt::print(stderr, "usage: make_malformed DIR | make_malformed --table FILE\n");
            return 64;
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "make_malformed: {}\n", error.what());
        return 1;
    }
    return 0;
}
