#pragma once
// Command lines that are shown to be copied.

#include <string>
#include <string_view>

namespace pillar {

/// One argument as a shell needs it: quoted where it has to be ('my trace.h5'), with $'...' where
/// it holds what does not fit a terminal's line. Fits into a sentence.
std::string shell_word(std::string_view argument);

} // namespace pillar
