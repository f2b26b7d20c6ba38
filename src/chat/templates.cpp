// The table of templates, and how one is chosen.

#include "pillar/chat/template.hpp"

#include "families/families.hpp"
#include "prompt_writer.hpp"
#include "turns.hpp"

#include "pillar/core/errors.hpp"
#include "pillar/core/text.hpp"
#include "pillar/gguf/value.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace pillar::chat {

namespace {

constexpr std::string_view key = "tokenizer.chat_template";

std::vector<Template> all_templates() {
    std::vector<Template> all;
    for (const auto family :
         {chatml_templates, qwen3_templates, llama2_templates, llama3_templates, mistral_templates,
          phi_templates, gemma_templates, zephyr_templates, olmo_templates, deepseek_templates,
          harmony_templates, granite_templates})
        for (Template& one : family()) all.push_back(std::move(one));
    return all;
}

/// One way to write what Jinja texts write in several: ' for quotes, line ends for \n.
std::string normal_form(std::string_view jinja) {
    std::string text;
    for (std::size_t i = 0; i < jinja.size(); ++i) {
        if (jinja.substr(i).starts_with("\\n"))
            text += '\n', ++i;
        else
            text += jinja[i] == '"' ? '\'' : jinja[i];
    }
    return text;
}

const Template* find_template(std::string_view name) {
    const auto place = std::ranges::find(templates(), name, &Template::name);
    return place == templates().end() ? nullptr : &*place;
}

} // namespace

const std::vector<Template>& templates() {
    static const std::vector<Template> all = all_templates();
    return all;
}

std::string template_names() {
    std::vector<std::string_view> names;
    for (const Template& one : templates()) names.push_back(one.name);
    std::ranges::sort(names);
    return joined(names, ", ");
}

const Template* recognise(std::string_view jinja) {
    const std::string text = normal_form(jinja);
    const auto stands = [&text](std::string_view part) {
        return text.find(part) != std::string::npos;
    };
    const auto place = std::ranges::find_if(templates(), [&stands](const Template& one) {
        return std::ranges::all_of(one.markers, stands) && std::ranges::none_of(one.absent, stands);
    });
    return place == templates().end() ? nullptr : &*place;
}

const Template& choose_template(const std::optional<std::string>& name,
                                const gguf::Metadata& metadata) {
    if (name) {
        if (const Template* found = find_template(*name)) return *found;
        throw UsageError(
            fmt::format("--chat-template {}: known are {}", printable(*name), template_names()));
    }
    const std::string* jinja = metadata.string(key);
    if (jinja == nullptr)
        throw UsageError(fmt::format("the model has no {}: name the one it was trained with by "
                                     "--chat-template, one of {}",
                                     key, template_names()));
    if (const Template* found = recognise(*jinja)) return *found;
    throw UsageError(fmt::format("the model's {} is none that is known here (it begins \"{}\"): "
                                 "name one that does the same by --chat-template, one of {}",
                                 key, printable(*jinja, 60), template_names()));
}

Prompt render(const Template& chat_template, const Conversation& conversation,
              const Settings& settings) {
    if (conversation.empty()) throw UsageError("there are no messages: give at least one");
    if (settings.thinking && !chat_template.has_thinking)
        throw UsageError(fmt::format("the chat template {} has no switch for thinking: leave "
                                     "--reasoning out",
                                     chat_template.name));
    PromptWriter out;
    try {
        chat_template.write(out, conversation, settings);
    } catch (const Refusal& refusal) {
        throw UsageError(
            fmt::format("the chat template {} {}", chat_template.name, refusal.what()));
    }
    return out.take();
}

} // namespace pillar::chat
