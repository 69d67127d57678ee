#include "report/page.h"

#include <gmock/gmock.h>

namespace caravel::report {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Page, KeepsTheOrder) {
  Page page("Title");
  page.plot({.title = "First", .series = {{"a", {1, 2}, {3, 4}}}});
  page.heading("Second");
  page.text("Third");
  page.table({"Fourth", {"column"}, {{"cell"}}});
  const std::string html = page.html();
  size_t before = 0;
  for (const char* part : {"<h1>Title</h1>", "<h3>First</h3>", "<h2>Second</h2>", ">Third</p>",
                           "<caption>Fourth</caption>", "<td>cell</td>", "id=\"plots\""}) {
    const size_t at = html.find(part);
    ASSERT_NE(at, html.npos) << part;
    EXPECT_GT(at, before) << part;
    before = at;
  }
}

TEST(Page, HasScriptsOnlyForPlots) {
  Page page("Tables alone");
  page.table({"", {"a"}, {}});
  page.plot({.title = "Of nothing", .series = {{"a", {}, {}}}});
  EXPECT_THAT(page.html(), Not(HasSubstr("<script")));
  EXPECT_THAT(page.html(), HasSubstr("nothing to draw"));
}

TEST(Page, SaysWithoutScriptsWhatAPlotShows) {
  Page page("");
  page.plot({.title = "Few",
             .x = {"time", "s"},
             .y = {"rate"},
             .series = {{"a", {1, 2}, {30, 12345.6}, {"start", "end"}}},
             .markers = {{Marker::Axis::kX, 1.5, "bound"}}});
  EXPECT_THAT(page.html(), HasSubstr("<details open>"));
  EXPECT_THAT(page.html(),
              HasSubstr("<td>a</td><td class=\"figure\">2</td><td class=\"figure\">12346</td><td>end</td>"));
  EXPECT_THAT(page.html(), HasSubstr("<p>bound: 1.5 s</p>"));
}

TEST(Page, FiguresStandAtTheRight) {
  Page page("");
  page.table({"", {"name", "ms", "date"}, {{"1 name", "-1.5", "2024"}, {"x", "+20 ms", "no date"}, {"", "–", "3"}}});
  EXPECT_THAT(page.html(), HasSubstr("<td>x</td><td class=\"figure\">+20 ms</td><td>no date</td>"));
}

TEST(Page, RowsOfLongTextsMayBecomeCards) {
  const std::string text(25, 'x');
  Page page("");
  page.table({"", {"what", "value"}, {{"a", text}}});
  page.table({"", {"id", "b", "c"}, {{"row-1", "0.5", "two words"}}});
  EXPECT_THAT(page.html(), HasSubstr("<td>a</td><td class=\"long\">" + text));
  EXPECT_THAT(page.html(), HasSubstr("<td>row-1</td><td class=\"figure\">0.5</td><td>two words</td>"));
  EXPECT_THAT(page.html(), Not(HasSubstr("class=\"table cards\"")));
  page.table({"", {"id", "b", "\"c\""}, {{"row-1", "0.5", "two\nlines"}}});
  EXPECT_THAT(page.html(), HasSubstr("class=\"table cards\""));
  EXPECT_THAT(page.html(), HasSubstr("<td class=\"long\" data-name=\"&#34;c&#34;\">two\nlines</td>"));
}

TEST(Page, FoldsLieInOneAnother) {
  Page page("");
  {
    const Page::Fold outer(page, "outer", "note");
    page.text("first");
    { const Page::Fold inner(page, "inner <b>"); }
  }
  page.text("after");
  EXPECT_THAT(page.html(),
              HasSubstr("<details class=\"fold\"><summary>outer <span class=\"note\">note</span></summary>"
                        "<div>\n<p class=\"text\">first</p>\n"
                        "<details class=\"fold\"><summary>inner &#60;b&#62;</summary><div>\n</div></details>\n"
                        "</div></details>\n<p class=\"text\">after</p>"));
}

TEST(Page, NumbersLinesOfCode) {
  Page page("");
  page.code("if a < b\n\n  b()\n", 3);
  EXPECT_THAT(page.html(),
              HasSubstr("aria-hidden=\"true\">1\n2\n3\n</pre><pre><code>if a &#60; b\n\n<mark>  b()</mark>\n"
                        "</code>"));
}

TEST(Page, KeepsATextsFirstLineBreak) {
  Page page("");
  page.verbatim("user", "\nsecond");
  EXPECT_THAT(page.html(), HasSubstr("<pre class=\"verbatim\">\n\nsecond</pre>")) << "a parser drops one";
}

TEST(Page, HoldsItsPictures) {
  Page page("");
  page.picture("\x89PNG", "a \"map\"", "where <we> went");
  EXPECT_THAT(page.html(), HasSubstr("<img src=\"data:image/png;base64,iVBORw==\" alt=\"a &#34;map&#34;\">"));
  EXPECT_THAT(page.html(), HasSubstr("<p>where &#60;we&#62; went</p>"));
}

TEST(Page, SaysInWordsWhatWasReached) {
  Page page("");
  page.stages({{"wood", "at once", true}, {"stone", "not reached", false}});
  EXPECT_THAT(page.html(), HasSubstr("<li class=\"reached\"><b>wood</b><span class=\"note\">at once</span></li>\n"
                                     "<li><b>stone</b><span class=\"note\">not reached</span></li>"));
}

TEST(Page, WantsRowsOfTheColumnsLength) {
  Page page("");
  EXPECT_DEATH(page.table({"", {"a", "b"}, {{"1"}}}), "1 against 2");
}

}  // namespace
}  // namespace caravel::report
