// Every known template against what Jinja makes of the models' own texts (tests/data/chat).

#include "pillar/chat/template.hpp"
#include "pillar/core/errors.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace pillar::chat {
namespace {

using Json = nlohmann::json;

Json read(const char* file) {
    std::ifstream stream(std::string(PILLAR_TEST_DATA "/chat/") + file);
    return Json::parse(stream);
}

const Json& vectors() {
    static const Json json = read("vectors.json");
    return json;
}

const Template* by_name(const std::string& name) {
    const auto place = std::ranges::find(templates(), name, &Template::name);
    return place == templates().end() ? nullptr : &*place;
}

Settings settings_of(const Json& one) {
    Settings settings;
    settings.bos = vectors().at("bos");
    settings.eos = vectors().at("eos");
    settings.today = std::chrono::year(2025) / 3 / 9;
    settings.add_generation_prompt = one.at("generation");
    if (!one.at("thinking").is_null()) settings.thinking = one.at("thinking").get<bool>();
    return settings;
}

/// Of one model's own template.
struct Vector {
    Json json;
};

void PrintTo(const Vector& vector, std::ostream* out) {
    *out << vector.json.at("name");
}

std::vector<Vector> known_templates() {
    std::vector<Vector> all;
    for (const Json& one : vectors().at("templates"))
        if (one.at("name") != "none") all.push_back({one});
    return all;
}

/// What stands in a model's own text of all that templates are recognised by.
std::string marks_of(const Json& one) {
    std::string text;
    for (const std::string marker : one.at("markers")) text += marker + "\f";
    return text;
}

class ChatTemplate : public testing::TestWithParam<Vector> {
  protected:
    const Json& vector_ = GetParam().json;
};

TEST_P(ChatTemplate, RendersAsJinjaDoes) {
    const Template* chat_template = by_name(vector_.at("name"));
    ASSERT_NE(chat_template, nullptr);
    for (const Json& one : vector_.at("cases")) {
        const std::string name = one.at("conversation");
        SCOPED_TRACE(name + (one.at("generation") ? ", generation" : "") +
                     (one.at("thinking").is_null() ? ""
                      : one.at("thinking")         ? ", on"
                                                   : ", off"));
        const Conversation conversation =
            parse_messages(vectors().at("conversations").at(name).dump(), "vectors");
        const Settings settings = settings_of(one);
        const bool loses = one.contains("lost");
        Prompt prompt;
        try {
            prompt = render(*chat_template, conversation, settings);
        } catch (const UsageError& error) { // Jinja's exceptions, and what it would leave out
            EXPECT_TRUE(one.contains("refused") || loses) << error.what();
            EXPECT_NE(std::string(error.what()).find(chat_template->name), std::string::npos);
            continue;
        }
        EXPECT_FALSE(one.contains("refused")) << one.at("refused") << text_of(prompt);
        EXPECT_FALSE(loses) << one.at("lost");
        if (one.contains("text")) {
            EXPECT_EQ(text_of(prompt), one.at("text"));
        }
        for (const tokenizer::TextPart& part : prompt) { // nobody but the template writes these
            EXPECT_FALSE(part.text.empty());
            if (part.parse_special) {
                EXPECT_EQ(part.text.find("Obey."), std::string::npos);
            }
        }
    }
}

TEST_P(ChatTemplate, IsRecognisedByWhatStandsInIt) {
    const std::string text = marks_of(vector_);
    const Template* found = recognise(text);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->name, vector_.at("name"));
    std::string as_written; // as most write it: "…\n…"
    for (const char c : text)
        as_written += c == '\n' ? "\\n" : c == '\'' ? "\"" : std::string(1, c);
    EXPECT_EQ(recognise(as_written), found);
    EXPECT_EQ(recognise("{{ messages }}"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Vectors, ChatTemplate, testing::ValuesIn(known_templates()),
                         [](const auto& vector) {
                             std::string name = vector.param.json.at("name");
                             std::ranges::replace_if(
                                 name, [](unsigned char c) { return !std::isalnum(c); }, '_');
                             return name + "_" + std::to_string(vector.index);
                         });

TEST(ChatTemplates, OthersAreNotTakenForOneThatIsLikeThem) {
    std::size_t n = 0;
    for (const Json& one : vectors().at("templates")) {
        if (one.at("name") != "none") continue;
        const Template* found = recognise(marks_of(one));
        EXPECT_EQ(found, nullptr) << found->name << " " << one.at("sha256");
        ++n;
    }
    EXPECT_GT(n, 20u);
}

TEST(ChatTemplates, EveryOneHasVectorsAndNamesAreNamesOnce) {
    std::set<std::string_view> with_vectors, names;
    for (const Json& one : vectors().at("templates"))
        with_vectors.insert(one.at("name").get_ref<const std::string&>());
    for (const Template& one : templates()) {
        EXPECT_TRUE(names.insert(one.name).second) << one.name;
        EXPECT_TRUE(with_vectors.contains(one.name)) << one.name;
    }
}

TEST(ChatTemplates, TheVectorsWereMadeWithAllMarkers) {
    std::set<std::string> markers;
    for (const Template& one : templates()) {
        markers.insert(one.markers.begin(), one.markers.end());
        markers.insert(one.absent.begin(), one.absent.end());
    }
    EXPECT_EQ(read("markers.json"), Json(markers)) << "this is tests/data/chat/markers.json:\n"
                                                   << Json(markers).dump(1);
    EXPECT_EQ(vectors().at("all_markers"), Json(markers)) << "make_vectors.py makes it anew";
}

} // namespace
} // namespace pillar::chat
