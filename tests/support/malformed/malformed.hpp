#pragma once
// Wrong, odd and hostile model files, by name, with what a reader must make of each. The first
// thirty-three classes are those that ggml's own test of its reader builds; the others come from
// published vulnerabilities of GGUF readers and from what a loader takes on trust.
// tests/unit/gguf/malformed_classes.md is this list as a table.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::support {

enum class Verdict {
    refuse,
    accept,
    warn,                ///< accepted, and said to be odd
    refuse_when_checked, ///< refused only when tensor data are checked on request
};
std::string_view name_of(Verdict verdict);

/// The module that has to find out. Modules before it must pass the file on unharmed.
enum class Owner { gguf, tokenizer, model, cli };
std::string_view name_of(Owner owner);

struct MalformedCase {
    std::string family;     ///< header, metadata, tensors, …
    std::string class_name; ///< several cases may be of one class (a cut at each 64th byte)
    std::string name;       ///< fit for a file name
    std::string claim;      ///< what is wrong with it, or odd
    Verdict verdict = Verdict::refuse;
    Owner owner = Owner::gguf;
    std::string field;                  ///< a refusal names one of these, separated by '|'
    std::function<std::string()> bytes; ///< the whole file
    bool is_large = false;              ///< a file of megabytes: once is enough

    /// What `inspect` or `run` should end with.
    [[nodiscard]] int exit_code() const { return verdict == Verdict::refuse ? 65 : 0; }
};

/// All cases. Where content is random it follows from the seed.
std::vector<MalformedCase> malformed_cases(std::uint64_t seed = 1);

/// The classes as a Markdown table.
std::string malformed_table(const std::vector<MalformedCase>& cases);

/// True when `text` contains one of the field's alternatives; any text does for an empty one.
bool names_field(std::string_view text, std::string_view field);

} // namespace pillar::support
