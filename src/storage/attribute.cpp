// Attributes: scalars, and the short u8 lists that CF's enumerations need.

#include "hdf5.hpp"

#include <fmt/core.h>

namespace pillar::storage {

namespace {

Location of_attribute(const Location& location, const char* name) {
    return {location.file, fmt::format("attribute {} of {}", name, location.path)};
}

void write(hid_t object, const Location& where, const char* name, hid_t stored, hid_t in_memory,
           hid_t space, const void* value) {
    const Handle attribute(
        check(H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT), where, "create"),
        H5Aclose);
    check(H5Awrite(attribute.get(), in_memory, value), where, "write");
}

} // namespace

void write_attribute(hid_t object, const Location& location, const char* name, const Value& value) {
    const Location where = of_attribute(location, name);
    const Handle space(check(H5Screate(H5S_SCALAR), where, "describe"), H5Sclose);
    if (const auto* text = std::get_if<std::string>(&value)) {
        const Handle type = text_type(where);
        const std::string stored = stored_text(*text);
        const char* pointer = stored.c_str();
        write(object, where, name, type.get(), type.get(), space.get(), &pointer);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        write(object, where, name, file_type(Type::i64), native_type(Type::i64), space.get(),
              integer);
    } else {
        write(object, where, name, file_type(Type::f64), native_type(Type::f64), space.get(),
              &std::get<double>(value));
    }
}

void write_attribute(hid_t object, const Location& location, const char* name,
                     std::span<const std::uint8_t> values) {
    const Location where = of_attribute(location, name);
    const hsize_t length = values.size();
    const Handle space(check(H5Screate_simple(1, &length, nullptr), where, "describe"), H5Sclose);
    write(object, where, name, file_type(Type::u8), native_type(Type::u8), space.get(),
          values.data());
}

} // namespace pillar::storage
