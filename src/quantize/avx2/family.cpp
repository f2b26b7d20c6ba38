// For x86-64 with AVX2, FMA (not used: it would round otherwise) and F16C.

#include "encoders/encoders.hpp"

namespace pillar::quantize {

namespace {
struct Avx2;
} // namespace

const Family avx2_family = family_of<Avx2>;

} // namespace pillar::quantize
