// Puts the pieces one after the other; nothing is checked, since wrong files are wanted too.

#include "support/models/gguf_builder.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace pillar::support {

namespace {

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t unit) {
    return (value + unit - 1) / unit * unit;
}

} // namespace

std::string raw_string(std::string_view text) {
    return raw(std::uint64_t{text.size()}) + std::string(text);
}

std::string raw_array(std::uint32_t element_type, std::uint64_t count, std::string_view elements) {
    return raw(element_type) + raw(count) + std::string(elements);
}

void GgufBuilder::set_raw(std::string_view key, std::uint32_t type, std::string value) {
    const auto place = std::ranges::find(pairs, key, &RawPair::key);
    RawPair pair{std::string(key), type, std::move(value), std::nullopt};
    if (place == pairs.end())
        pairs.push_back(std::move(pair));
    else
        *place = std::move(pair);
}

void GgufBuilder::set(std::string_view key, std::string_view text) {
    set_raw(key, type_number<std::string>(), raw_string(text));
}

void GgufBuilder::remove(std::string_view key) {
    std::erase_if(pairs, [&](const RawPair& pair) { return pair.key == key; });
}

RawTensor& GgufBuilder::tensor(std::string_view name) {
    const auto place = std::ranges::find(tensors, name, &RawTensor::name);
    if (place == tensors.end()) throw std::logic_error("no tensor " + std::string(name));
    return *place;
}

std::string GgufBuilder::header() const {
    std::string bytes = magic + raw(version) + raw(n_tensors.value_or(tensors.size())) +
                        raw(n_pairs.value_or(pairs.size()));
    for (const RawPair& pair : pairs)
        bytes +=
            raw(pair.key_length.value_or(pair.key.size())) + pair.key + raw(pair.type) + pair.value;
    std::uint64_t offset = 0;
    for (const RawTensor& tensor : tensors) {
        bytes += raw(tensor.name_length.value_or(tensor.name.size())) + tensor.name;
        bytes += raw(tensor.n_dimensions.value_or(static_cast<std::uint32_t>(tensor.shape.size())));
        for (const std::uint64_t dimension : tensor.shape) bytes += raw(dimension);
        bytes += raw(tensor.type) + raw(tensor.offset.value_or(offset));
        offset += rounded_up(tensor.data.size(), alignment);
    }
    return bytes;
}

std::string GgufBuilder::bytes() const {
    std::string file = header();
    file.resize(rounded_up(file.size(), alignment), '\0');
    const std::size_t data = file.size();
    for (const RawTensor& tensor : tensors) {
        file += tensor.data;
        file.resize(data + rounded_up(file.size() - data, alignment), '\0');
    }
    return file;
}

} // namespace pillar::support
