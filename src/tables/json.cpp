#include "json.hpp"

#include <nlohmann/json.hpp>
#include <type_traits>

namespace pillar::tables {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Value& value) {
    return std::visit(
        [](const auto& content) -> Json {
            using T = std::decay_t<decltype(content)>;
            if constexpr (std::is_same_v<T, std::monostate>) {
                return nullptr;
            } else if constexpr (std::is_same_v<T, List>) {
                Json list = Json::array();
                for (const Value& one : content) list.push_back(json_of(one));
                return list;
            } else if constexpr (std::is_same_v<T, Record>) {
                Json object = Json::object();
                for (const Field& field : content.fields())
                    object[field.name] = json_of(field.value);
                return object;
            } else {
                return content;
            }
        },
        value.content());
}

} // namespace

std::string to_json(const Value& value, int indent) {
    return json_of(value).dump(indent, ' ', false, Json::error_handler_t::replace);
}

} // namespace pillar::tables
