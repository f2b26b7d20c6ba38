#pragma once
// gnuplot makes pictures of figures.

#include "pillar/plots/figure.hpp"

#include <span>
#include <string>
#include <vector>

namespace pillar::plots {

/// Whether all files can be made in `folder`, which is made where it is missing (its parent is
/// not): NAME.svg, NAME.png and NAME.gnuplot of every figure. Throws IoError(cannot_create) where
/// one exists that `replace` does not allow to be replaced, and as expect_output does.
void expect_figures(std::span<const Figure> figures, const std::string& folder, bool replace,
                    std::span<const std::string> inputs);

/// Draws into `folder`; files take their names when all are whole. Throws Error(refused) naming the
/// package where there is no gnuplot, Error(internal) with its words where it fails, IoError.
void draw(std::span<const Figure> figures, const std::string& folder);

/// The same as texts, one SVG a figure.
[[nodiscard]] std::vector<std::string> svgs_of(std::span<const Figure> figures);

} // namespace pillar::plots
