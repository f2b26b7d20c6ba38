#pragma once
// Test parameters: every family of this binary that the CPU can run, alone or with every format.

#include "pillar/kernels/family.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pillar::kernels {

inline std::vector<const Family*> usable_families() {
    std::vector<const Family*> usable;
    for (const Family* family : families())
        if (family->supported()) usable.push_back(family);
    return usable;
}

/// The twin whose bits a family must give in products.
inline const Family& twin_of(const Family& family) {
    return *find_family(family.float_activations ? "reference" : "integer");
}

class EachFamily : public testing::TestWithParam<const Family*> {
  protected:
    const Family& family_ = *GetParam();
};

class EachFamilyAndType : public testing::TestWithParam<std::tuple<const Family*, quant::Type>> {
  protected:
    const Family& family_ = *std::get<0>(GetParam());
    const quant::Type type_ = std::get<1>(GetParam());
};

inline std::string family_name(const testing::TestParamInfo<const Family*>& param) {
    return std::string(param.param->name);
}

inline std::string
family_and_type_name(const testing::TestParamInfo<std::tuple<const Family*, quant::Type>>& param) {
    return std::string(std::get<0>(param.param)->name) + "_" +
           std::string(quant::info(std::get<1>(param.param)).name);
}

} // namespace pillar::kernels
