#include "sandbox/lua/code_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caravel::sandbox::lua {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ScanCode, MainIsTheLastThatTakesThePlayerAlone) {
  EXPECT_EQ(scan_code("function a(bot) end function b(bot) end function c(bot, n) end").main, "b");
  EXPECT_EQ(scan_code("local function a(bot) end").main, "a");
  EXPECT_EQ(scan_code("local a = function(bot) end").main, "a");
  EXPECT_EQ(scan_code("a = function(bot) end").main, "a");
  EXPECT_EQ(scan_code("function a() end function b(n) end function c(...) end").main, "");
  EXPECT_EQ(scan_code("function a(bot) local function inner(bot) end end").main, "a") << "not at the top";
  EXPECT_EQ(scan_code("local t = {a = function(bot) end} function t.b(bot) end function t:c(bot) end").main, "");
  EXPECT_EQ(
      scan_code("-- function a(bot) end\n--[==[ function b(bot) ]] end ]==] local s = 'function c(bot) end'").main, "");
  EXPECT_EQ(scan_code("for i = 1, 2 do while x do if y then repeat until z end end end function a(bot) end").main, "a");
  EXPECT_EQ(scan_code("if x then else end function a(bot) return function() end end function b(x) end").main, "a");
}

TEST(ScanCode, CallsAreOfNamesThatItDoesNotDefine) {
  const ScannedCode found = scan_code(R"lua(
    local function helper(x) return x end
    function go(bot)
      mineBlock(bot, "oak_log", helper(1)) -- commented(bot)
      bot:dig(1, 2, 3)
      table.insert(t, craftItem(bot, 'stick'))
      print "text" print [[inText(bot)]] print('escaped\' inString(bot)')
      local f = smeltItem
      for _, block in ipairs(find{1}) do end
      local n = 0x1p+4 + 3 .. later(bot)
      if (go)(bot) then end
    end)lua");
  EXPECT_THAT(found.functions, ElementsAre("helper", "go"));
  EXPECT_THAT(found.calls, ElementsAre("craftItem", "find", "ipairs", "later", "mineBlock", "print"));
}

TEST(ScanCode, EndsForAnyBytes) {
  for (const char* const code : {"--[[", "'", "\"\\", "[==[", "[=", "--", "0x", ".", "function", "function(",
                                 "a = function", "local function", "\x01\xff", "end end end until"}) {
    const ScannedCode found = scan_code(code);
    EXPECT_THAT(found.functions, IsEmpty()) << code;
    EXPECT_EQ(found.main, "") << code;
  }
}

}  // namespace
}  // namespace caravel::sandbox::lua
