// The header is gathered in memory and goes out before the first data; data are written as they
// come, each tensor padded to the alignment.

#include "pillar/gguf/writer.hpp"

#include "value_types.hpp"

#include "pillar/core/output_file.hpp"
#include "pillar/core/sizes.hpp"
#include "pillar/gguf/file.hpp"
#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <fmt/core.h>
#include <set>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <unistd.h>
#include <utility>

namespace pillar::gguf {

namespace {

constexpr std::string_view alignment_key = "general.alignment";

/// Bytes of a header in the making.
class Bytes {
  public:
    template <class T>
    requires std::is_arithmetic_v<T>
    void put(T value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
    void put(std::string_view text) {
        put(std::uint64_t{text.size()});
        bytes_.append(text);
    }
    void put(ValueType type) { put(static_cast<std::uint32_t>(type)); }
    [[nodiscard]] std::span<const std::byte> span() const noexcept {
        return std::as_bytes(std::span(bytes_));
    }

  private:
    std::string bytes_ = "GGUF";
};

void put_array(Bytes& bytes, const Array& array) {
    bytes.put(array.element);
    bytes.put(std::uint64_t{array.size()});
    std::visit(
        [&]<class T>(const T& elements) {
            if constexpr (!std::is_same_v<T, Nested>)
                for (const auto& element : elements)
                    bytes.put(static_cast<typename T::value_type>(element));
        },
        array.values);
}

void put_value(Bytes& bytes, const Value& value) {
    bytes.put(value.type);
    std::visit(
        [&]<class T>(const T& held) {
            if constexpr (std::is_same_v<T, Array>)
                put_array(bytes, held);
            else
                bytes.put(held);
        },
        value.value);
}

/// True when the type's number says what the variant holds, in the value and in an array's
/// elements.
bool is_consistent(const Value& value) {
    return with_type(value.type, [&]<class T>(std::type_identity<T>) {
        const T* held = std::get_if<T>(&value.value);
        if constexpr (std::is_same_v<T, Array>) {
            return held != nullptr && with_type(held->element, [&]<class E>(std::type_identity<E>) {
                       if constexpr (std::is_same_v<E, Array>)
                           return std::holds_alternative<Nested>(held->values);
                       else
                           return std::holds_alternative<std::vector<E>>(held->values);
                   });
        } else {
            return held != nullptr;
        }
    });
}

} // namespace

struct Writer::State {
    struct Declared {
        std::string name;
        quant::Type type;
        std::vector<std::uint64_t> shape;
        std::uint64_t size_bytes;
    };

    explicit State(const std::filesystem::path& p) : path(p), output(p.string()) {}

    std::filesystem::path path;
    OutputFile output;
    std::uint32_t alignment = 32;
    int descriptor = -1;
    Metadata metadata;
    std::vector<Declared> tensors;
    std::set<std::string, std::less<>> names;
    bool header_written = false;
    std::uint64_t position = 0; ///< bytes written
    std::size_t current = 0;    ///< the tensor whose data come next
    std::uint64_t current_bytes = 0;

    void put(std::span<const std::byte> bytes);
    void pad();
    void write_header();
    void skip_finished();
};

void Writer::State::put(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            const int reason = errno;
            throw IoError::from_errno(output.part(), fmt::format("write at byte {}", position),
                                      reason);
        }
        position += static_cast<std::uint64_t>(n);
        bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
}

void Writer::State::pad() {
    static constexpr std::array<std::byte, 4096> zeros{};
    std::uint64_t left = *checked_round_up<std::uint64_t>(position, alignment) - position;
    while (left > 0) {
        const std::uint64_t n = std::min<std::uint64_t>(left, zeros.size());
        put(std::span(zeros).first(n));
        left -= n;
    }
}

void Writer::State::write_header() {
    header_written = true;
    const bool says_alignment = alignment != 32;
    Bytes bytes;
    bytes.put(std::uint32_t{3});
    bytes.put(std::uint64_t{tensors.size()});
    bytes.put(std::uint64_t{metadata.entries().size() + (says_alignment ? 1 : 0)});
    if (says_alignment) {
        bytes.put(alignment_key);
        put_value(bytes, {.type = ValueType::uint32, .value = alignment});
    }
    for (const auto& [key, value] : metadata.entries()) {
        bytes.put(std::string_view(key));
        put_value(bytes, value);
    }
    std::uint64_t offset = 0;
    for (const Declared& tensor : tensors) {
        bytes.put(std::string_view(tensor.name));
        bytes.put(static_cast<std::uint32_t>(tensor.shape.size()));
        for (const std::uint64_t dimension : tensor.shape) bytes.put(dimension);
        bytes.put(static_cast<std::uint32_t>(tensor.type));
        bytes.put(offset);
        offset += *checked_round_up<std::uint64_t>(tensor.size_bytes, alignment);
    }
    put(bytes.span());
    pad();
    skip_finished();
}

/// Pad after a tensor whose data are complete, and pass over those that have none.
void Writer::State::skip_finished() {
    while (current < tensors.size() && current_bytes == tensors[current].size_bytes) {
        pad();
        ++current;
        current_bytes = 0;
    }
}

Writer::Writer(const std::filesystem::path& path, std::uint32_t alignment)
    : state_(std::make_unique<State>(path)) {
    expects(std::has_single_bit(alignment) && alignment <= max_alignment,
            "the alignment of a model file is a power of two up to 65536");
    state_->alignment = alignment;
    state_->descriptor =
        ::open(state_->output.part().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (state_->descriptor < 0)
        throw IoError(ExitCode::cannot_create, state_->output.part(),
                      fmt::format("cannot create: {}", std::generic_category().message(errno)));
}

Writer::~Writer() {
    if (state_->descriptor >= 0) ::close(state_->descriptor);
}

void Writer::add(std::string key, Value value) {
    expects(!state_->header_written, "metadata are added before the first data");
    expects(is_consistent(value), "a value is of the type it is said to be");
    if (key == alignment_key) return;
    const auto* array = std::get_if<Array>(&value.value);
    if (array != nullptr && std::holds_alternative<Nested>(array->values))
        throw FormatError(state_->path.string(), key, std::nullopt,
                          "is an array of arrays, which is not kept and cannot be written");
    expects(state_->metadata.add(std::move(key), std::move(value)),
            "a metadata key is added only once");
}

void Writer::declare(std::string name, quant::Type type, std::vector<std::uint64_t> shape) {
    expects(!state_->header_written, "tensors are declared before the first data");
    expects(!shape.empty() && shape.size() <= max_dimensions, "a tensor has 1 to 4 dimensions");
    expects(name.size() <= max_tensor_name_bytes, "a tensor's name has at most 63 bytes");
    expects(state_->names.insert(name).second, "a tensor is declared only once");
    const quant::TypeInfo& info = quant::info(type);
    expects(shape[0] % info.block_weights == 0, "a tensor's rows are whole blocks");
    std::optional<std::uint64_t> size = shape[0] / info.block_weights * info.block_bytes;
    for (std::size_t i = 1; size && i < shape.size(); ++i) size = checked_mul(*size, shape[i]);
    expects(size.has_value(), "a tensor's size can be counted");
    state_->tensors.push_back({std::move(name), type, std::move(shape), *size});
}

void Writer::write(std::span<const std::byte> bytes) {
    if (!state_->header_written) state_->write_header();
    if (bytes.empty()) return;
    expects(state_->current < state_->tensors.size() &&
                bytes.size() <= state_->tensors[state_->current].size_bytes - state_->current_bytes,
            "data are written for one declared tensor at a time");
    state_->put(bytes);
    state_->current_bytes += bytes.size();
    state_->skip_finished();
}

void Writer::close() {
    State& state = *state_;
    if (!state.header_written) state.write_header();
    if (state.current < state.tensors.size()) {
        const State::Declared& tensor = state.tensors[state.current];
        throw Error(ExitCode::internal,
                    fmt::format("{}: tensor \"{}\" was given {} of its {} bytes",
                                printable(state.path.string()), printable(tensor.name),
                                state.current_bytes, tensor.size_bytes));
    }
    const bool is_stored =
        ::fsync(state.descriptor) == 0 || errno == EINVAL; // no disk: nothing to do
    const int sync_reason = errno;
    const bool is_closed = ::close(std::exchange(state.descriptor, -1)) == 0;
    const int reason = is_stored ? errno : sync_reason;
    if (!is_stored || !is_closed) throw IoError::from_errno(state.output.part(), "write", reason);
    state.output.commit();
}

} // namespace pillar::gguf
