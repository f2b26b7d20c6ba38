#pragma once
// The Markdown that reports are made of, as HTML: headings of two and three signs, tables, lists of
// one level, paragraphs. Everything else is text.

#include <string>
#include <string_view>

namespace pillar::plots {

[[nodiscard]] std::string markdown_to_html(std::string_view markdown);

/// `<`, `>`, `&` and quotes as entities; what is no UTF-8 as U+FFFD.
[[nodiscard]] std::string escaped(std::string_view text);

} // namespace pillar::plots
