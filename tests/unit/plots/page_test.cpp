#include "pillar/plots/page.hpp"

#include "page/markdown_to_html.hpp"
#include "script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pillar::plots {
namespace {

using ::testing::HasSubstr;

TEST(Html, HasTablesListsAndSentences) {
    const std::string html =
        markdown_to_html("## A <b> & c\n\n| a | n |\n| --- | --: |\n| x\\|y | 1 |\n\n"
                         "One `code`,\ntwo.\n- first\n- second\n");
    EXPECT_EQ(html, "<h2>A &lt;b&gt; &amp; c</h2>\n"
                    "<div class=\"table\"><table><thead>\n"
                    "<tr><th>a</th><th class=\"number\">n</th></tr>\n</thead><tbody>\n"
                    "<tr><td>x|y</td><td class=\"number\">1</td></tr>\n</tbody></table></div>\n"
                    "<p>One <code>code</code>, two.</p>\n"
                    "<ul>\n<li>first</li>\n<li>second</li>\n</ul>\n");
}

TEST(Html, HoldsItsPictures) {
    const std::vector<Figure> figures{{"a", "A \"title\"", "It shows.", "", 1, 1}};
    const std::vector<std::string> svgs{"<svg/>"};
    const std::string html = html_page("T", "text\n", figures, svgs);
    EXPECT_THAT(html, HasSubstr("src=\"data:image/svg+xml;base64,PHN2Zy8+\"")); // base64 -w0
    EXPECT_THAT(html, HasSubstr("alt=\"A &quot;title&quot;\""));
}

TEST(Script, QuotesWhatUsersNamed) {
    EXPECT_EQ(in_quotes("it's\n"), "'it''s\\x0A'");
    Block block("$a");
    block.add({1, 0.5}, "a \"b\"");
    EXPECT_EQ(block.text(), "$a << END_OF_DATA\n1\t0.5\t\"a 'b'\"\nEND_OF_DATA\n");
}

} // namespace
} // namespace pillar::plots
