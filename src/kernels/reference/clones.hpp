#pragma once
// The plain loops are compiled twice on x86-64: for the baseline and for x86-64-v3, where an fma is
// an instruction and not a call. The program picks at start; the bits are the same, only the time
// differs. Sanitizers run before the pick can be made, and clang 14 does not know the level: there
// it is the baseline alone. This is the one place for such a macro.

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PILLAR_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define PILLAR_CLONES
#endif
