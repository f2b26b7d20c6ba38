#pragma once
// A report as one page of HTML that needs nothing beside itself.

#include "pillar/plots/figure.hpp"

#include <span>
#include <string>

namespace pillar::plots {

/// `markdown`: a report's text; `svgs`: one a figure. Styles and pictures are within the page; it
/// prints on A4 and follows a dark screen.
[[nodiscard]] std::string html_page(const std::string& title, const std::string& markdown,
                                    std::span<const Figure> figures,
                                    std::span<const std::string> svgs);

} // namespace pillar::plots
