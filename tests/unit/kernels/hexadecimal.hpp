#pragma once
// Reading the hexadecimal test data.

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace pillar::kernels {

/// Little-endian values from pairs of digits.
template <class T>
std::vector<T> from_hex(const std::string& text) {
    std::vector<unsigned char> bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<unsigned char>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

} // namespace pillar::kernels
