#include "report/escape.h"

#include <gtest/gtest.h>

namespace caravel::report {
namespace {

TEST(EscapeHtml, LeavesNoMarkup) {
  EXPECT_EQ(escape_html("a <b> & \"c\" 'd'"), "a &#60;b&#62; &#38; &#34;c&#34; &#39;d&#39;");
  EXPECT_EQ(escape_html("Grüße\n\t日本"), "Grüße\n\t日本");
  EXPECT_EQ(escape_html(""), "");
}

TEST(EscapeHtml, MendsWhatIsNoText) {
  EXPECT_EQ(escape_html("a\xC3<"), "a\xEF\xBF\xBD&#60;") << "a broken character takes nothing with it";
  EXPECT_EQ(escape_html("\xF0\x9F"), "\xEF\xBF\xBD");
  EXPECT_EQ(escape_html(std::string_view("\0\x1b\x7f", 3)), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(ScriptJson, CannotEndItsElement) {
  const std::string evil = "</script><!--\xE2\x80\xA8&'\xC3(";
  const std::string safe = script_json({{"key" + evil, evil}});
  for (const char c : safe) EXPECT_TRUE(c >= 0x20 && c < 0x7F && c != '<' && c != '>' && c != '&') << safe;
  const nlohmann::json back = nlohmann::json::parse(safe);
  const std::string mended = "</script><!--\xE2\x80\xA8&'\xEF\xBF\xBD(";
  EXPECT_EQ(back["key" + mended], mended);
}

TEST(ScriptJson, WhatIsNoNumberIsNull) { EXPECT_EQ(script_json({NAN, INFINITY, 1.5}), "[null,null,1.5]"); }

}  // namespace
}  // namespace caravel::report
