// The JSON of a conversation is read whole, with nesting bounded while it is read.

#include "pillar/chat/message.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/utf8.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <set>

namespace pillar::chat {

namespace {

using Json = nlohmann::json;

/// A list of objects with lists of objects.
constexpr int max_depth = 4;

class Reader {
  public:
    explicit Reader(const std::string& file) : file_(file) {}

    [[nodiscard]] Conversation read(std::string_view text) const {
        const Json list = parse(text);
        if (!list.is_array()) throw error("it is no list of messages", "messages");
        Conversation messages;
        for (std::size_t i = 0; i < list.size(); ++i)
            messages.push_back(read_message(list[i], fmt::format("messages[{}]", i)));
        return messages;
    }

  private:
    [[nodiscard]] FormatError error(const std::string& problem, const std::string& place) const {
        return {file_, place, std::nullopt,
                problem + R"(; expected is [{"role": "user", "content": "text"}, ...])"};
    }

    [[nodiscard]] Json parse(std::string_view text) const {
        std::vector<std::set<std::string>> keys; // of the objects around
        const auto look = [&](int depth, Json::parse_event_t event, const Json& value) {
            using Event = Json::parse_event_t;
            if (event == Event::object_start || event == Event::array_start) {
                if (depth >= max_depth)
                    throw error(fmt::format("it is nested more than {} deep", max_depth),
                                "messages");
                keys.emplace_back();
            } else if (event == Event::object_end || event == Event::array_end) {
                keys.pop_back();
            } else if (event == Event::key) {
                const auto& key = value.get_ref<const std::string&>();
                if (!keys.back().insert(key).second)
                    throw error(fmt::format("the key \"{}\" stands there twice", printable(key)),
                                "messages");
            }
            return true;
        };
        try {
            return Json::parse(text, look);
        } catch (const Json::parse_error& problem) {
            throw FormatError(file_, "messages", problem.byte,
                              "it is no JSON: " + printable(problem.what(), 200));
        } catch (const Json::exception& problem) { // a number beyond all numbers
            throw FormatError(file_, "messages", std::nullopt,
                              "it is no JSON: " + printable(problem.what(), 200));
        }
    }

    [[nodiscard]] Message read_message(const Json& json, const std::string& place) const {
        if (!json.is_object()) throw error("it is no object", place);
        for (const auto& [key, value] : json.items())
            if (key != "role" && key != "content")
                throw error(fmt::format("the key \"{}\" is not understood", printable(key)), place);
        const std::string role_name = text_at(json, "role", place);
        const auto content = json.find("content");
        if (content == json.end()) throw error("it has no content", place);
        return {role_of(role_name, place), read_content(*content, place + ".content")};
    }

    [[nodiscard]] Role role_of(std::string_view name, const std::string& place) const {
        for (const Role role : {Role::system, Role::user, Role::assistant})
            if (name == name_of(role)) return role;
        throw error(fmt::format("the role \"{}\" is not known: system, user and assistant are",
                                printable(name)),
                    place);
    }

    [[nodiscard]] std::string read_content(const Json& json, const std::string& place) const {
        if (json.is_string()) return json.get<std::string>();
        if (!json.is_array())
            throw error(fmt::format("it is {}, no text", json.type_name()), place);
        std::string text;
        for (std::size_t i = 0; i < json.size(); ++i) {
            const std::string here = fmt::format("{}[{}]", place, i);
            if (!json[i].is_object()) throw error("it is no object", here);
            const std::string type = text_at(json[i], "type", here);
            if (type != "text")
                throw error(fmt::format("the type \"{}\" is not understood: text alone is",
                                        printable(type)),
                            here);
            for (const auto& [key, value] : json[i].items())
                if (key != "type" && key != "text")
                    throw error(fmt::format("the key \"{}\" is not understood", printable(key)),
                                here);
            if (i != 0) text += '\n';
            text += text_at(json[i], "text", here);
        }
        return text;
    }

    [[nodiscard]] std::string text_at(const Json& object, const char* key,
                                      const std::string& place) const {
        const auto found = object.find(key);
        if (found == object.end()) throw error(fmt::format("it has no {}", key), place);
        if (!found->is_string()) throw error(fmt::format("its {} is no text", key), place);
        return found->get<std::string>();
    }

    const std::string& file_;
};

} // namespace

std::string_view name_of(Role role) noexcept {
    switch (role) {
    case Role::system:
        return "system";
    case Role::user:
        return "user";
    case Role::assistant:
        break;
    }
    return "assistant";
}

Conversation parse_messages(std::string_view json, const std::string& file) {
    return Reader(file).read(json);
}

std::string messages_json(const Conversation& messages) {
    std::string text = "[";
    for (const Message& message : messages) {
        nlohmann::ordered_json line;
        line["role"] = name_of(message.role);
        line["content"] = to_valid_utf8(message.content);
        text += (text.size() == 1 ? "\n" : ",\n") + line.dump();
    }
    return text + "\n]\n";
}

} // namespace pillar::chat
