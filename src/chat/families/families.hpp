#pragma once
// The templates, by what they have in common. One file a family.

#include "pillar/chat/template.hpp"

#include <vector>

namespace pillar::chat {

std::vector<Template> chatml_templates();
std::vector<Template> qwen3_templates();
std::vector<Template> llama2_templates();
std::vector<Template> llama3_templates();
std::vector<Template> mistral_templates();
std::vector<Template> phi_templates();
std::vector<Template> gemma_templates();
std::vector<Template> zephyr_templates();
std::vector<Template> olmo_templates();
std::vector<Template> deepseek_templates();
std::vector<Template> harmony_templates();
std::vector<Template> granite_templates();

} // namespace pillar::chat
