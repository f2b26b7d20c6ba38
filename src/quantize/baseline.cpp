// What every processor of this kind runs.

#include "encoders/encoders.hpp"

namespace pillar::quantize {

namespace {
struct Baseline;
} // namespace

const Family baseline_family = family_of<Baseline>;

} // namespace pillar::quantize
