#include "pillar/plots/page.hpp"

#include "page/markdown_to_html.hpp"
#include "pillar/core/errors.hpp"

#include <fmt/core.h>

namespace pillar::plots {

namespace {

constexpr const char* styles = R"(
:root { color-scheme: light dark; --text: #1b1b1b; --rule: #c4c4c4; --band: #f3f5f7; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --rule: #555; --band: #24282c; --page: #16181a; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 2.2rem; border-bottom: 2px solid var(--rule); }
h3 { font-size: 1.1rem; margin-top: 1.6rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: bottom; }
tbody tr:nth-child(even) { background: var(--band); }
.number { text-align: right; white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; break-inside: avoid; }
figure img { width: 100%; height: auto; background: #ffffff; border: 1px solid var(--rule); }
figcaption { font-size: 0.85rem; }
code { font-size: 0.9em; }
@media print { body { font-size: 10pt; margin: 0; max-width: none; } .table { overflow: visible; }
  table { font-size: 7pt; } th, td { padding: 1pt 3pt; } }
)";

std::string base64(std::string_view bytes) {
    constexpr const char* digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group =
                group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63U] : '=';
    }
    return text;
}

} // namespace

std::string html_page(const std::string& title, const std::string& markdown,
                      std::span<const Figure> figures, std::span<const std::string> svgs) {
    expects(figures.size() == svgs.size(), "every figure has its drawing");
    std::string html = fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
                                   "charset=\"utf-8\">\n<meta name=\"viewport\" "
                                   "content=\"width=device-width, initial-scale=1\">\n"
                                   "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
                                   "<h1>{0}</h1>\n",
                                   escaped(title), styles);
    html += markdown_to_html(markdown);
    if (!figures.empty()) html += "<h2>Figures</h2>\n<div class=\"figures\">\n";
    for (std::size_t i = 0; i < figures.size(); ++i)
        html += fmt::format("<figure><img alt=\"{0}\" src=\"data:image/svg+xml;base64,{1}\">\n"
                            "<figcaption><b>{0}</b> ({3}). {2}</figcaption></figure>\n",
                            escaped(figures[i].title), base64(svgs[i]), escaped(figures[i].caption),
                            escaped(figures[i].subject));
    if (!figures.empty()) html += "</div>\n";
    return html + "</body>\n</html>\n";
}

} // namespace pillar::plots
