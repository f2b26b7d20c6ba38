#pragma once
// Figures of a report as gnuplot scripts that hold their data: whoever has one can draw it again,
// or change it. Colours are those of Okabe and Ito, told apart by colour-blind readers; lines
// differ in dashes and points in shape too, and areas in brightness, so that they read in black and
// white.

#include "pillar/report/scaling_table.hpp"

#include <span>
#include <string>
#include <vector>

namespace pillar::plots {

struct Figure {
    std::string name;    ///< of its files: "speed-up"
    std::string title;   ///< a line
    std::string caption; ///< sentences below it: what is drawn
    std::string script;  ///< from after the terminal is set to the last plot command
    int width = 800;     ///< of the drawing, in points
    int height = 500;
    std::string subject = ""; ///< the model: a line below the title
};

/// All for which the tables have data; of several tables one set each, their names told apart.
/// `profile`: for the roofline's roof; may be nothing.
[[nodiscard]] std::vector<Figure> figures_of(std::span<const report::ScalingTable> tables,
                                             const perf::MachineProfile* profile);

} // namespace pillar::plots
