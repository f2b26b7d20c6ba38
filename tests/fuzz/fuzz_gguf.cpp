// Any bytes as a GGUF file: the parser refuses with a FormatError or gives a directory that holds
// together, and the accessors refuse or give what was asked for.

#include "pillar/gguf/directory.hpp"
#include "pillar/gguf/file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace pillar;

void require(bool condition) {
    if (!condition) __builtin_trap();
}

void check_error(const FormatError& error) {
    const std::string_view text = error.what();
    require(error.code() == ExitCode::bad_data);
    require(std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7F; }));
}

/// Call an accessor; a FormatError is as good as a value.
template <class Access>
void attempt(Access access) {
    try {
        static_cast<void>(access());
    } catch (const FormatError& error) {
        check_error(error);
    }
}

void read_all(const gguf::Metadata& metadata) {
    for (const gguf::Metadata::Entry& entry : metadata.entries()) {
        const std::string& key = entry.key;
        const gguf::Value& value = entry.value;
        attempt([&] { return metadata.integer(key, 1, 1u << 20); });
        attempt([&] { return metadata.number(key); });
        attempt([&] { return metadata.boolean(key); });
        attempt([&] { return metadata.string(key); });
        attempt([&] { return metadata.strings(key); });
        attempt([&] { return metadata.floats(key); });
        attempt([&] { return metadata.integers(key); });
        require(static_cast<std::size_t>(value.type) == value.value.index());
    }
}

void check(const gguf::Directory& directory, std::uint64_t file_bytes) {
    for (const gguf::TensorInfo& tensor : directory.tensors) {
        require(tensor.type != nullptr);
        require(tensor.row_bytes() * tensor.n_rows() == tensor.size_bytes);
        if (tensor.size_bytes == 0) continue;
        require(tensor.offset >= directory.data_offset && tensor.offset <= file_bytes);
        require(tensor.size_bytes <= file_bytes - tensor.offset);
    }
    read_all(directory.metadata);
}

void parse(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
    try {
        check(gguf::parse(bytes, file_bytes, "fuzz.gguf"), file_bytes);
    } catch (const FormatError& error) {
        check_error(error);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    parse(bytes, size);
    parse(bytes, std::uint64_t{1} << 40); // the beginning of something huge
    parse(bytes.first(size / 2), size);
    return 0;
}
