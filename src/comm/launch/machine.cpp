// gethostname, and the kernel's boot id.

#include "machine.hpp"

#include <array>
#include <fstream>
#include <unistd.h>

namespace pillar::comm {

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "an unnamed host";
    const std::string full = name.data();
    return full.substr(0, full.find('.'));
}

std::string machine_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    if (std::getline(file, id) && !id.empty()) return id;
    return host_name();
}

} // namespace pillar::comm
