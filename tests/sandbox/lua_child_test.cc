#include "sandbox/lua/lua_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lua_runner.h"

namespace caravel::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LuaChild, CallsReachTheWorldAndItsAnswersComeBack) {
  LuaRunner runner;
  const Json outcome = runner.run_lines(R"(
    local got = bot:ask({"oak_log", "birch_log"}, 3, 1.5, true, {x = 1, y = -2, z = 0.5}, nil, "end")
    bot:chat(got[1][2] .. got[2] .. " " .. got[3] .. " " .. tostring(got[4]) .. " " .. got[5].z .. tostring(got[6]))
    print("a", 1, nil, {}, bot)
  )");
  EXPECT_EQ(outcome.dump(), R"({"done":true})");
  EXPECT_THAT(runner.said, ElementsAre("birch_log3 1.5 true 0.5nil", "a 1 nil table: 1 player: 2"));
}

TEST(LuaChild, WhyNotIsASecondValue) {
  LuaRunner runner;
  runner.ask = [](const Json&) { return Json{{"error", "too far"}}; };
  EXPECT_EQ(runner.says("local value, why = bot:ask() bot:chat(tostring(value) .. ': ' .. why)"), "nil: too far");
}

TEST(LuaChild, TheWorldMayEndARun) {
  LuaRunner runner;
  runner.ask = [](const Json&) { return Json{{"end", "ended after 12,000 ticks"}}; };
  EXPECT_EQ(spelled(runner.run_lines("while true do pcall(bot.ask, bot) end")),
            "killed code:2: ended after 12,000 ticks");
}

TEST(LuaChild, ErrorsNameTheLineOfTheCode) {
  LuaRunner runner;
  runner.library = {{"mineBlock", "function mineBlock(bot, name)\n  local block\n  return block.x\nend"},
                    {"mineOak", "function mineOak(bot)\n\n\n  mineBlock(bot, 'oak_log')\nend"},
                    {"smeltItem", "function smeltItem(bot)\n  error('smeltItem: no fuel', 2)\nend"}};
  struct Case {
    const char* lines;
    const char* message;
    const char* where;
    int line;
  };
  for (const Case& one : {
           Case{"local block\nbot:chat(block.x)", "code:3: attempt to index a nil value (local 'block')", "code", 3},
           Case{"\n  mineOak(bot)", "code:3: mineBlock:3: attempt to index a nil value (local 'block')", "code", 3},
           Case{"\n\n  smeltItem(bot)", "code:4: smeltItem: no fuel", "code", 4},
           Case{"mineblock(bot)", "code:2: attempt to call a nil value (global 'mineblock')", "code", 2},
           Case{"\nbot:Ask()", "code:3: the player has no method Ask; there is ask", "code", 3},
           Case{"bot.ask(1)", "code:2: ask is a method: write bot:ask(...), with a colon", "code", 2},
           Case{"error({code = 1})", "code:2: an error was raised that is a table and no text", "code", 2},
           Case{"error(setmetatable({}, {__tostring = function() return 'mine' end}))", "code:2: mine", "code", 2},
           Case{"error()", "code:2: an error was raised that is a nil and no text", "code", 2},
           Case{"error('two\\nlines')", "code:2: two?lines", "code", 2},
           Case{"local f = coroutine.wrap(function()\n  error('inside')\nend)\nf()", "code:3: inside", "code", 3},
           Case{"string.rep()", "code:2: bad argument #1 to 'rep' (string expected, got no value)", "code", 2},
           Case{"('x'):find()", "code:2: bad argument #1 to 'find' (string expected, got no value)", "code", 2},
           Case{"pairs(nil)", "code:2: bad argument #1 to 'pairs' (table expected, got nil)", "code", 2},
           Case{"table.concat({{}})", "code:2: invalid value (table) at index 1 in table for 'concat'", "code", 2},
       }) {
    const Json failed = runner.run_lines(one.lines).value("failed", Json::object());
    EXPECT_EQ(failed.value("message", ""), one.message) << one.lines;
    EXPECT_EQ(failed.value("where", ""), one.where) << one.lines;
    EXPECT_EQ(failed.value("line", 0), one.line) << one.lines;
    EXPECT_FALSE(failed.value("killed", true)) << one.lines;
  }
}

TEST(LuaChild, TheTraceIsOfCallsInnermostFirst) {
  LuaRunner runner;
  runner.library = {{"mineOak", "function mineOak(bot)\n  error('no oak')\nend"}};
  const Json outcome = runner.run("local function both(bot)\n  mineOak(bot)\nend\nfunction go(bot)\n  both(bot)\nend");
  EXPECT_EQ(outcome["failed"]["trace"], "mineOak:2: in mineOak\ncode:2: in both\ncode:5");
}

TEST(LuaChild, CodeThatDoesNotLoadSaysWhere) {
  LuaRunner runner;
  EXPECT_EQ(spelled(runner.run("function go(bot)\n  local = 1\nend")), "code:2: <name> expected near '='");
  EXPECT_EQ(spelled(runner.run("function went(bot) end")), "code: it defines no function go");
  EXPECT_EQ(spelled(runner.run("function go(bot)\nend\ngo(bot)\nbot:chat('x')")),
            "code:4: nothing is done while the code is loaded: do it in the function that takes the player");
}

TEST(LuaChild, MainMayBeLocalAndTheCodeMayReturn) {
  LuaRunner runner;
  for (const char* const code :
       {"local function go(bot) bot:chat('gone') end", "local go = function(bot) bot:chat('gone') end",
        "function go(bot) bot:chat('gone') end -- last", "local function go(bot) bot:chat('gone') end return go",
        "function go(bot) helper() end function helper() bot:chat('gone') end"}) {
    runner.said.clear();
    EXPECT_EQ(runner.run(code).dump(), R"({"done":true})") << code;
    EXPECT_THAT(runner.said, ElementsAre("gone")) << code;
  }
}

TEST(LuaChild, SkillsSeeEachOtherAndNotEachOthersHelpers) {
  LuaRunner runner;
  runner.library = {{"first", "function helper() return 'of first' end\nfunction first(bot) return helper() end"},
                    {"second", "function helper() return 'of second' end\nfunction second(bot) return first(bot) end"},
                    {"first", "function first() return 'of a later one' end"},
                    {"broken", "function broken(bot)"}};
  EXPECT_EQ(runner.says("bot:chat(second(bot))"), "of first");
  EXPECT_EQ(runner.says("bot:chat(tostring(helper))"), "nil");
  EXPECT_EQ(runner.says("broken(bot)"), "code:2: broken cannot be used: broken:1: 'end' expected near <eof>");
  EXPECT_EQ(
      runner.run("function first() return 'mine' end\nfunction go(bot) bot:chat(first() .. second(bot)) end").dump(),
      R"({"done":true})");
  EXPECT_EQ(runner.said.back(), "mineof first") << "what the code defines is its own";
}

TEST(LuaChild, PairsAndNextGoInTheOrderOfKeys) {
  LuaRunner runner;
  EXPECT_EQ(runner.says(R"(
    local t = {[true] = 1, b = 1, [2.5] = 1, a = 1, [10] = 1, [-1] = 1, aa = 1, [false] = 1, [2] = 1}
    local keys = {}
    for k in pairs(t) do
      keys[#keys + 1] = tostring(k)
      t[k] = nil
      t.b = nil
    end
    bot:chat(table.concat(keys, " ")))"),
            "-1 2 2.5 10 a aa false true");
  EXPECT_EQ(runner.says(R"(
    local t, k, v = {z = 3, y = 2, 1}
    local said = tostring(next({}))
    repeat
      k, v = next(t, k)
      said = said .. " " .. tostring(k) .. "=" .. tostring(v)
    until k == nil
    bot:chat(said))"),
            "nil 1=1 y=2 z=3 nil=nil");
  EXPECT_THAT(runner.says("for k in pairs({[{}] = 1}) do end"), HasSubstr("a table as a key has none"));
  EXPECT_EQ(runner.says("for k in pairs(setmetatable({}, {__pairs = function() return next, {own = 1} end})) do "
                        "bot:chat(k) end"),
            "own");
}

TEST(LuaChild, TheSameSeedDrawsTheSame) {
  const std::string lines =
      "local t = {} for i = 1, 5 do t[i] = math.random(1000000) end bot:chat(table.concat(t, ' '))";
  LuaRunner runner;
  const std::string first = runner.says(lines);
  EXPECT_EQ(runner.says(lines), first);
  EXPECT_EQ(runner.says("math.random() math.randomseed() " + lines), first);
  EXPECT_EQ(runner.says("math.randomseed(1) " + lines), runner.says("math.randomseed(1) " + lines));
  runner.seed = 2;
  EXPECT_NE(runner.says(lines), first);
}

TEST(LuaChild, NoTextHasAnAddress) {
  LuaRunner runner;
  EXPECT_EQ(runner.says(R"(
    local t, f = {}, function() end
    bot:chat(tostring(t) .. string.format(" %s %s %s ", f, print, coroutine.create(f)) .. tostring(t)))"),
            "table: 1 function: 2 function: 3 thread: 4 table: 1");
  EXPECT_EQ(runner.says("bot:chat(tostring(setmetatable({}, {__name = 'mine'})))"), "mine: 1");
  EXPECT_THAT(runner.says("string.format('%-20p', {})"), HasSubstr("there are no addresses here"));
}

TEST(LuaChild, CoroutinesDoAsLuasOwn) {
  LuaRunner runner;
  EXPECT_EQ(runner.says(R"(
    local c = coroutine.create(function(a, b)
      local d = coroutine.yield(a + b)
      local e, f = coroutine.yield(d * 2)
      return e .. f
    end)
    local said = {}
    for _, arguments in ipairs({{1, 2}, {10}, {"x", "y"}, {}}) do
      local ok, value = coroutine.resume(c, table.unpack(arguments))
      said[#said + 1] = tostring(ok) .. " " .. tostring(value)
    end
    local wrapped = coroutine.wrap(function() coroutine.yield(bot:ask(7)[1]) error({}) end)
    said[#said + 1] = tostring(wrapped())
    said[#said + 1] = type(select(2, pcall(wrapped)))
    local across = coroutine.wrap(function()
      local _, first = pcall(function() return coroutine.yield(1) + 1 end)
      local _, second = xpcall(function() error(coroutine.yield(first), 0) end, function(e) return e .. "!" end)
      return second
    end)
    said[#said + 1] = across() .. " " .. across(2) .. " " .. across("no")
    bot:chat(table.concat(said, ", ")))"),
            "true 3, true 20, true xy, false cannot resume dead coroutine, 7, table, 1 3 no!");
}

TEST(LuaChild, WhatStandsBesideASkillsFunctionsHasACountOfItsOwn) {
  LuaRunner runner;
  const std::string foo = "function foo(bot) end\n";
  const std::string why = "what stands outside of its functions does not end within 20000 instructions";
  EXPECT_EQ(runner.load("foo", foo + "local t = {}\nfor i = 1, 1000 do t[i] = i end").dump(), R"({"loaded":true})");
  EXPECT_EQ(runner.load("foo", foo + "error('no')").dump(), R"({"loaded":true})");
  EXPECT_EQ(spelled(runner.load("foo", foo + "while true do end")), "killed foo:2: " + why);
  EXPECT_EQ(spelled(runner.load("foo", foo + "while true do pcall(function() while true do end end) end")),
            "killed foo:2: " + why);
  EXPECT_EQ(spelled(runner.load("foo", foo + "coroutine.wrap(function() while true do end end)()")),
            "killed foo:2: " + why);
  EXPECT_EQ(spelled(runner.load("print", "function print(bot) end")),
            "print is there already: give your function another name");
  runner.library = {{"foo", foo + "while true do end"}};
  const Json outcome = runner.run_lines("bot:chat('never')");
  EXPECT_EQ(outcome.at("failed").value("entry", ""), "foo") << outcome;
  // The code's own count is whole, whatever the library took.
  const auto last_line = [&](int entries) {
    runner.library.clear();
    for (int i = 0; i < entries; ++i) {
      const std::string name = "s" + std::to_string(i);
      runner.library.emplace_back(name, "function " + name + "(bot) end\nfor i = 1, 3000 do end");
    }
    runner.instructions = 100'000;
    runner.says("local n = 0\nwhile true do n = n + 1 if n % 1000 == 0 then bot:chat(tostring(n)) end end");
    return runner.said.size();
  };
  EXPECT_NEAR(static_cast<double>(last_line(30)), static_cast<double>(last_line(0)), 1);
}

TEST(LuaChild, ParsesWithoutRunning) {
  LuaRunner runner;
  EXPECT_EQ(runner
                .parse("local function near(bot, x) return dist(x) end\n"
                       "function mineOak(bot)\n  mineBlock(bot, 'oak_log', 3)\n  near(bot, 1)\nend\nwhile true do end")
                .dump(),
            R"({"parsed":{"main":"mineOak","functions":["near","mineOak"],"calls":["dist","mineBlock"]}})");
  EXPECT_EQ(spelled(runner.parse("function go(bot)\n  if x then\nend")),
            "code:3: 'end' expected (to close 'function' at line 1) near <eof>");
  EXPECT_THAT(spelled(runner.parse("bot:chat('hello')")), HasSubstr("write function NAME(bot)"));
  EXPECT_THAT(spelled(runner.parse("await bot.chat('hello')")), HasSubstr("code:1: syntax error near 'bot'"));
}

TEST(LuaChild, NamesThatAreTakenOrTooLongAreNoTasks) {
  LuaRunner runner;
  const auto parsed = [&](const std::string& name) { return spelled(runner.parse("function " + name + "(bot)\nend")); };
  for (const char* const name : {"pairs", "print", "next", "string", "_G", "_ENV", "_VERSION"})
    EXPECT_EQ(parsed(name), std::string(name) + " is there already: give your function another name");
  EXPECT_EQ(parsed("bot"), "bot is the name of the player: give your function another name");
  EXPECT_EQ(parsed(std::string(65, 'a')),
            "the name of the function aaaaaaaaaaaaaaaaaaaa... has 65 characters: 64 at most");
  EXPECT_THAT(parsed(std::string(5000, 'a')), HasSubstr("has 5000 characters: 64 at most"));
  EXPECT_THAT(parsed(std::string(64, 'a')), HasSubstr("parsed"));
  EXPECT_THAT(spelled(runner.parse("function pairs(t) end function go(bot) end")), HasSubstr(R"("main":"go")"));
}

}  // namespace
}  // namespace caravel::sandbox
