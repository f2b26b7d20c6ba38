// Wrong fixed fields: the seven header classes of ggml's test, and a byte-swapped file.

#include "support/malformed/lists.hpp"
#include "support/models/gguf_builder.hpp"

#include <algorithm>

namespace pillar::support {

namespace {

std::string with_version(std::uint32_t version) {
    GgufBuilder builder;
    builder.version = version;
    return builder.bytes();
}

} // namespace

void add_header_cases(Cases& cases) {
    CaseList list(cases, "header", Owner::gguf);
    list.add(Verdict::refuse, "bad-magic", "magic", "begins with FUGG", [] {
        GgufBuilder builder;
        builder.magic = "FUGG";
        return builder.bytes();
    });
    list.add(Verdict::refuse, "version-0", "version", "version 0", [] { return with_version(0); });
    list.add(Verdict::refuse, "version-1", "version", "version 1, with 32-bit counts",
             [] { return with_version(1); });
    list.add(Verdict::refuse, "version-future", "version", "version 4",
             [] { return with_version(4); });
    list.add(Verdict::refuse, "tensor-count-minus-1", "tensor count", "-1 tensors", [] {
        GgufBuilder builder;
        builder.n_tensors = ~std::uint64_t{0};
        return builder.bytes();
    });
    list.add(Verdict::refuse, "pair-count-minus-1", "metadata count", "-1 metadata pairs", [] {
        GgufBuilder builder;
        builder.n_pairs = ~std::uint64_t{0};
        return builder.bytes();
    });
    list.add(Verdict::accept, "empty", "", "neither metadata nor tensors",
             [] { return GgufBuilder{}.bytes(); });
    list.add(Verdict::refuse, "byte-swapped", "version", "written for a big-endian machine",
             [] { return with_version(0x0300'0000u); });
    list.add(Verdict::refuse, "git-lfs-pointer", "magic", "a Git LFS pointer instead of the file",
             [] {
                 return std::string("version https://git-lfs.github.com/spec/v1\n"
                                    "oid sha256:0000\nsize 12345\n");
             });
}

} // namespace pillar::support
