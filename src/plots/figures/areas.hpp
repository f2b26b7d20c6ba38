#pragma once
// How areas of computing, waiting, bytes and sampling are filled: solid dark, bright, hatched, and
// light, so that a black-and-white print tells them apart.

namespace pillar::plots {

struct Area {
    const char* name;
    const char* fill;
};

inline constexpr Area areas[] = {
    {"compute", "linetype 1 fillcolor '#0072B2' fillstyle solid 1 border linecolor '#303030'"},
    {"wait", "linetype 1 fillcolor '#F0E442' fillstyle solid 1 border linecolor '#303030'"},
    {"wire", "linetype 1 fillcolor '#D55E00' fillstyle pattern 4 border linecolor '#303030'"},
    {"sample", "linetype 1 fillcolor '#DDDDDD' fillstyle solid 1 border linecolor '#303030'"}};

} // namespace pillar::plots
