#include "encoders/family.hpp"

#include <gtest/gtest.h>

TEST(Encoders, Exist) { EXPECT_NE(pillar::quantize::baseline_family.encoder, nullptr); }
