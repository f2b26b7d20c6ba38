// A tensor is told of when all of it, or an eighth of it up to its end, is zero; and when zeros
// reach from within it to the end of the file, be it by a tail of 256 bytes. The tail alone may be
// padding of the last matrix: zero rows, which begin where a row begins. Where a download stops
// seldom falls on the border of a row.

#include "pillar/model/zeros.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/model/architecture.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <optional>
#include <tuple>
#include <vector>

namespace pillar::model {

namespace {

constexpr std::uint64_t window_bytes = 4096;
constexpr std::uint64_t min_tail = 256; ///< zeros at the file's end that mean something

/// Byte after the last one that is not zero in [begin, end), at most a window; nullopt: all zeros.
std::optional<std::uint64_t> end_of_data(const gguf::File& file, const gguf::TensorInfo& tensor,
                                         std::uint64_t begin, std::uint64_t end) {
    std::byte bytes[window_bytes];
    const std::span<std::byte> window(bytes, end - begin);
    file.read(tensor, begin, window);
    const auto last =
        std::find_if(window.rbegin(), window.rend(), [](std::byte b) { return b != std::byte{0}; });
    if (last == window.rend()) return std::nullopt;
    return end - static_cast<std::uint64_t>(last - window.rbegin());
}

/// Byte from which on the tensor is zero: its size when its last byte is none. Between data and the
/// zeros at the end there is taken to be one border, which is searched by halving.
std::uint64_t zeros_from(const gguf::File& file, const gguf::TensorInfo& tensor) {
    const std::uint64_t size = tensor.size_bytes;
    const auto window_end = [&](std::uint64_t w) { return std::min(size, (w + 1) * window_bytes); };
    const auto data_end = [&](std::uint64_t w) {
        return end_of_data(file, tensor, w * window_bytes, window_end(w));
    };
    if (size == 0) return 0;
    std::uint64_t zero = (size - 1) / window_bytes; // the last window that is looked at
    if (const auto end = data_end(zero)) return *end;
    std::uint64_t begin = 0; // all before it, or the window before it, holds data
    std::uint64_t border = 0;
    while (begin < zero) {
        const std::uint64_t middle = begin + (zero - begin) / 2;
        if (const auto end = data_end(middle)) {
            border = *end;
            begin = middle + 1;
        } else {
            zero = middle;
        }
    }
    return border;
}

/// What lies behind a tensor in its file.
enum class Behind { data, zeros, nothing };

bool looks_lost(const gguf::TensorInfo& tensor, std::uint64_t from, Behind behind) {
    const std::uint64_t size = tensor.size_bytes, tail = size - from;
    if (tail == 0) return false;
    if (tail >= (size + 7) / 8 || behind == Behind::zeros) return true;
    if (behind == Behind::data || tail < min_tail) return false;
    const std::uint64_t block = tensor.type->block_bytes;
    const std::uint64_t whole_blocks = (from + block - 1) / block * block;
    return whole_blocks % tensor.row_bytes() != 0;
}

/// Tensors whose weights are computed with and cannot all be zero, in the order of the files.
std::vector<const gguf::TensorInfo*> tensors_with_weights(const gguf::File& file,
                                                          const Hyperparameters& h) {
    const Architecture& architecture = *h.architecture;
    std::vector<const gguf::TensorInfo*> tensors;
    const auto add = [&](const TensorSpec& spec, std::optional<std::size_t> layer) {
        if (spec.presence != Presence::required && spec.is_vector()) return;
        if (spec.part > 0) return; // the tensor is another role's, too
        const gguf::TensorInfo* tensor = file.find_tensor(tensor_name(spec.name, layer));
        if (tensor != nullptr && tensor->size_bytes > 0) tensors.push_back(tensor);
    };
    for (const TensorSpec& spec : architecture.model_tensors) add(spec, std::nullopt);
    for (std::size_t layer = 0; layer < h.n_layers; ++layer)
        for (const TensorSpec& spec : architecture.layer_tensors) add(spec, layer);
    std::ranges::sort(tensors, {}, [](const gguf::TensorInfo* tensor) {
        return std::tuple(tensor->part, tensor->offset);
    });
    return tensors;
}

} // namespace

std::string find_zeros(const gguf::File& file, const Hyperparameters& h) {
    const std::vector<const gguf::TensorInfo*> tensors = tensors_with_weights(file, h);
    const gguf::TensorInfo* first = nullptr; // from the back: the last one found
    std::uint64_t first_byte = 0;
    std::size_t n_lost = 0;
    Behind behind = Behind::nothing;
    for (std::size_t i = tensors.size(); i-- > 0;) {
        const gguf::TensorInfo& tensor = *tensors[i];
        if (i + 1 < tensors.size() && tensors[i + 1]->part != tensor.part) behind = Behind::nothing;
        const std::uint64_t from = zeros_from(file, tensor);
        if (looks_lost(tensor, from, behind)) {
            first = &tensor;
            first_byte = tensor.offset + from;
            ++n_lost;
        }
        behind = from == 0 ? Behind::zeros : Behind::data;
    }
    if (first == nullptr) return {};
    return fmt::format("tensor \"{}\" holds nothing but zeros from byte {} of the file to its "
                       "end{}; a download that stopped leaves such a file: download it again",
                       printable(first->name), first_byte,
                       n_lost == 1 ? "" : fmt::format(", and {} more tensors do", n_lost - 1));
}

} // namespace pillar::model
