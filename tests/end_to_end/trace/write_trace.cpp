// Writes FILE.h5 from planted records, for tests that read it with other people's programs.

#include "pillar/recording/convert.hpp"
#include "support/planted_trace.hpp"

#include <cstdio>
#include <exception>
#include <filesystem>

int main(int argc, char** argv) {
    if (argc != 2) return 64;
    const std::string path = argv[1];
    try {
        std::filesystem::remove(path + ".journal");
        pillar::support::write_planted_run(path + ".journal");
        pillar::recording::recover(path + ".journal", true);
    } catch (const std::exception& error) {
        std::fputs(error.what(), stderr);
        return 70;
    }
    return 0;
}
