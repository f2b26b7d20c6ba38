#include "pillar/arguments/command.hpp"

#include "pillar/terminal/standard_output.hpp"

#include <utility>

namespace pillar::arguments {

bool prints() {
    return comm::read_launch_variables().rank == 0;
}

void print_text(std::string_view text) {
    if (prints()) terminal::write_text(text, [] {});
}

Command say(std::string text) {
    Command command;
    command.run_alone = [text = std::move(text)] {
        print_text(text);
        return 0;
    };
    return command;
}

} // namespace pillar::arguments
