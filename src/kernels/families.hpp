#pragma once
// The tables of all families. A family for an instruction set is defined in that folder's
// family.cpp; CMake says by PILLAR_HAVE_X = 1 which folders are part of this build.

#include "pillar/kernels/family.hpp"

#ifndef PILLAR_HAVE_AVX2
#define PILLAR_HAVE_AVX2 0
#endif
#ifndef PILLAR_HAVE_AVXVNNI
#define PILLAR_HAVE_AVXVNNI 0
#endif
#ifndef PILLAR_HAVE_AVX512
#define PILLAR_HAVE_AVX512 0
#endif
#ifndef PILLAR_HAVE_NEON
#define PILLAR_HAVE_NEON 0
#endif
#ifndef PILLAR_HAVE_DOTPROD
#define PILLAR_HAVE_DOTPROD 0
#endif

namespace pillar::kernels {

extern const Family reference_family; ///< f32 activations
extern const Family integer_family;   ///< int8 activations: the twin that every fast family equals
extern const Family avx2_family;
extern const Family avxvnni_family;
extern const Family avx512_family;
extern const Family neon_family;
extern const Family dotprod_family;

} // namespace pillar::kernels
