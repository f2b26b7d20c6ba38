#pragma once
// Exact integer dot products of one block of 32 with the activations of one column, for all rows of
// a group, by the instructions that this file is compiled for. Both ways offer
//   dot<Bits>(w, x, start)      start + Σ n·q, one int32 a row
//   LevelDot                    the same for the signed levels of IQ4 (iq4.hpp)
//   WholeScale, HalfScales      Σ scale·dot as f32, exact, with one scale for all 32 weights or one
//                               for each 16
//   dots<Bits>(blocks, x, start, sums)   dot of a tile's groups and columns (panel.hpp); likewise
//                               dots and scaled_dots of the other types
//   dots_take_eight_bits        whether Bits may be EightBits

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#include "dot_vnni.hpp"
#else
#include "dot_pairs.hpp"
#endif
