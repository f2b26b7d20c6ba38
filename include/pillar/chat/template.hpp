#pragma once
// Chat templates in code: no Jinja is run. A model's own tokenizer.chat_template is recognised by
// what stands in it, so that what is rendered is what Jinja would make of it.

#include "pillar/chat/message.hpp"
#include "pillar/chat/prompt.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pillar::gguf {
class Metadata;
}

namespace pillar::chat {

class PromptWriter; // src/chat/prompt_writer.hpp

struct Template {
    std::string_view name; ///< of --chat-template; llama.cpp's where it has one that renders alike
    /// All of them stand in the Jinja text, with ' for " and line ends for \n …
    std::vector<std::string_view> markers;
    /// … and none of these.
    std::vector<std::string_view> absent;
    /// Throws UsageError where the Jinja text raises an exception or would leave a message out.
    std::function<void(PromptWriter&, const Conversation&, const Settings&)> write;
    bool has_thinking = false; ///< Settings::thinking may be given
};

/// In the order in which they are tried.
const std::vector<Template>& templates();

/// "chatml, gemma, …"
std::string template_names();

/// The template that a Jinja text is; nullptr: none that is known.
const Template* recognise(std::string_view jinja);

/// The one called `name`, else the model's own. Throws UsageError that names --chat-template and
/// the known ones.
const Template& choose_template(const std::optional<std::string>& name,
                                const gguf::Metadata& metadata);

/// Throws UsageError: no messages, or what this template refuses.
Prompt render(const Template& chat_template, const Conversation& conversation,
              const Settings& settings);

} // namespace pillar::chat
