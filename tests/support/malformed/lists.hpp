#pragma once
// The parts of the list of malformed files, one source each.

#include "support/malformed/malformed.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace pillar::support {

using Cases = std::vector<MalformedCase>;

/// A family's cases, added one a line.
class CaseList {
  public:
    CaseList(Cases& cases, std::string family, Owner owner)
        : cases_(cases), family_(std::move(family)), owner_(owner) {}

    /// `field` as in MalformedCase; for what is not refused it is empty.
    MalformedCase& add(Verdict verdict, std::string name, std::string field, std::string claim,
                       std::function<std::string()> bytes) {
        return cases_.emplace_back(MalformedCase{family_, name, name, std::move(claim), verdict,
                                                 owner_, std::move(field), std::move(bytes)});
    }

  private:
    Cases& cases_;
    std::string family_;
    Owner owner_;
};

void add_header_cases(Cases& cases);
void add_metadata_cases(Cases& cases, std::uint64_t seed);
void add_tensor_cases(Cases& cases, std::uint64_t seed);
void add_bounds_cases(Cases& cases);
void add_architecture_cases(Cases& cases);
void add_arithmetic_cases(Cases& cases);
void add_limit_cases(Cases& cases);
void add_oddity_cases(Cases& cases);
void add_vocabulary_cases(Cases& cases);
void add_hyperparameter_cases(Cases& cases);
void add_expert_cases(Cases& cases);
void add_template_cases(Cases& cases);

} // namespace pillar::support
