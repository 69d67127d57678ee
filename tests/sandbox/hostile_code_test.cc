// Code that means harm, each kind by itself: it ends as an error, within its bounds, and nothing else has changed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <set>

#include "lua_runner.h"

namespace caravel::sandbox {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

class HostileCode : public testing::Test {
 protected:
  HostileCode() {
    runner_.memory_bytes = 8 << 20;
    runner_.instructions = 2'000'000;
  }
  /// Whatever it was: no process and no descriptor is left, and other code runs as ever.
  ~HostileCode() override {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    EXPECT_EQ(names_in("/proc/self/fd").size(), descriptors_.size());
    EXPECT_EQ(LuaRunner{}.says("bot:chat('well')"), "well");
  }

  std::string spelled_run(const std::string& lines) { return spelled(runner_.run_lines(lines)); }

  LuaRunner runner_;
  std::set<std::string> descriptors_ = names_in("/proc/self/fd");
};

constexpr const char* kTooLong = "ended after 2000000 instructions: does a loop never end?";
constexpr const char* kTooMuch = "it needs more than the 8 MiB of memory that it may have";

TEST_F(HostileCode, InfiniteLoop) {
  EXPECT_THAT(spelled_run("local n = 0\nwhile true do\n  n = n + 1\nend"),
              testing::AnyOf(StartsWith("killed code:3: ended"), StartsWith("killed code:4: ended")));
  EXPECT_THAT(spelled_run("\nwhile true do end"), HasSubstr(kTooLong));
  EXPECT_THAT(spelled_run("::again:: goto again"), HasSubstr(kTooLong));
  EXPECT_THAT(spelled_run("for i = 1, math.huge do end"), HasSubstr(kTooLong));
}

TEST_F(HostileCode, InfiniteRecursion) {
  EXPECT_EQ(spelled_run("local function f() return 1 + f() end\nf()"),
            "killed code:2: ended: functions call each other more than 10000 deep: does a recursion never end?");
  EXPECT_THAT(spelled_run("local function f() return f() end\nf()"), HasSubstr(kTooLong));
  EXPECT_THAT(spelled_run("local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end\n"
                          "return t.x"),
              HasSubstr("code:2: "));
  EXPECT_THAT(spelled_run("local function f() local ok, why = pcall(f) return f() end\nf()"), StartsWith("killed "));
}

TEST_F(HostileCode, MemoryBombs) {
  for (const char* const lines :
       {"string.rep('x', 1 << 28)", "local t = {} while true do t[#t + 1] = {} end",
        "local s = 'x' while true do s = s .. s end", "local t = {} for i = 1, 1e7 do t[i] = ('x'):rep(1000) .. i end",
        "local s = ('x'):rep(1 << 20) return table.concat({s, s, s, s, s, s, s, s, s})",
        "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
        "return ('x'):rep(1 << 20):gsub('x', ('y'):rep(100))", "return table.unpack({}, 1, 900000)"}) {
    runner_.instructions = 100'000'000;
    EXPECT_THAT(spelled_run(lines), AllOf(StartsWith("killed code:2: "), HasSubstr(kTooMuch))) << lines;
  }
  EXPECT_THAT(spelled_run("string.rep('x', math.maxinteger)"), StartsWith("killed "));
  EXPECT_THAT(spelled_run("return table.unpack({}, 1, 1 << 40)"), HasSubstr("too many results to unpack"));
}

TEST_F(HostileCode, LimitsAreNotCaught) {
  for (const char* const lines :
       {"while true do pcall(function() while true do end end) end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "pcall(string.rep, 'x', 1 << 25) bot:chat('still here')",
        "xpcall(string.rep, function() return 1 end, 'x', 1 << 25) bot:chat('still here')",
        "coroutine.resume(coroutine.create(string.rep), 'x', 1 << 25) bot:chat('still here')",
        "pcall(function() local t = {} while true do t[#t + 1] = {} end end) bot:chat('still here')",
        "local t <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
        "coroutine.resume(coroutine.create(function() while true do end end)) bot:chat('still here')",
        "pcall(coroutine.wrap(function() while true do end end)) bot:chat('still here')",
        "error(setmetatable({}, {__tostring = function() while true do end end}))"}) {
    EXPECT_THAT(spelled_run(lines), StartsWith("killed code:2: ended")) << lines;
    EXPECT_TRUE(runner_.said.empty()) << lines;
  }
}

TEST_F(HostileCode, CoroutineBombs) {
  EXPECT_THAT(spelled_run("while true do coroutine.wrap(function() end)() end"), HasSubstr(kTooLong));
  EXPECT_THAT(spelled_run("local function f() coroutine.wrap(f)() end\nf()"), HasSubstr("C stack overflow"));
  EXPECT_THAT(spelled_run("local c = coroutine.wrap(function() while true do coroutine.yield() end end)\n"
                          "while true do c() end"),
              HasSubstr(kTooLong));
  EXPECT_THAT(spelled_run("coroutine.yield()"), HasSubstr("outside a coroutine"));
}

TEST_F(HostileCode, PatternsThatNeverEnd) {
  runner_.patience = std::chrono::milliseconds(300);
  EXPECT_EQ(runner_.run_lines("('a'):rep(200000):find(('.-'):rep(20) .. 'b')").dump(), R"({"ended":"deadline"})");
}

TEST_F(HostileCode, WorkInsideOfFunctionsOfCIsCounted) {
  for (const char* const lines :
       {"local s = ('x'):rep(1 << 20) while true do s:upper() end", "while true do table.move({}, 1, 1 << 20, 2) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do next(t) end",
        "local t = {[{}] = 1} for i = 1, 1e5 do t[i] = i end while true do pcall(next, t) end",
        "local s = ('x'):rep(1 << 20) while true do utf8.len(s) end",
        "while true do select('#', table.unpack({}, 1, 100000)) end",
        "local s = ('x'):rep(1 << 20) while true do local t = s .. 'y' end",
        "local s = ('x'):rep(1 << 20) while true do string.format('%s', s) end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.insert(t, 1, 0) end"}) {
    const auto start = Clock::now();
    EXPECT_THAT(spelled_run(lines), HasSubstr(kTooLong)) << lines;
    EXPECT_LT(seconds_since(start), 10) << lines;
  }
  EXPECT_THAT(spelled_run("table.move({}, 1, math.maxinteger - 1, 2)"), HasSubstr(kTooLong));
}

TEST_F(HostileCode, NothingThatReachesTheSystemIsThere) {
  EXPECT_EQ(runner_.says(R"(
    local there = {}
    for _, name in ipairs({"io", "os", "package", "require", "debug", "load", "loadfile", "loadstring", "dofile",
                           "collectgarbage", "warn"}) do
      if _G[name] ~= nil then there[#there + 1] = name end
    end
    if string.dump then there[#there + 1] = "string.dump" end
    local names = {}
    for name in pairs(_G) do names[#names + 1] = name end
    bot:chat(#there .. table.concat(there, " ") .. ": " .. table.concat(names, " ")))"),
            "0: _G _VERSION assert bot coroutine error getmetatable go ipairs math next pairs pcall print rawequal "
            "rawget rawlen rawset select setmetatable string table tonumber tostring type utf8 xpcall");
  EXPECT_EQ(spelled_run("os.exit(0)"), "code:2: attempt to index a nil value (global 'os')");
  EXPECT_EQ(spelled_run("io.open('/etc/passwd')"), "code:2: attempt to index a nil value (global 'io')");
  EXPECT_EQ(spelled_run("require('socket')"), "code:2: attempt to call a nil value (global 'require')");
  EXPECT_EQ(runner_.says("bot:chat(tostring(getmetatable('').__index))"), "code:2: attempt to index a boolean value");
  EXPECT_EQ(runner_.says("bot:chat(tostring(getmetatable(bot)) .. tostring(getmetatable(_ENV)))"), "falsefalse");
  EXPECT_EQ(spelled_run("setmetatable({}, {__gc = function() while true do end end})"),
            "code:2: there is no __gc here");
  EXPECT_THAT(spelled_run("pcall(function() end).constructor('return process')()"),
              HasSubstr("attempt to index a boolean"));
}

// A skill that is kept is loaded into every later run.
TEST_F(HostileCode, WhatAChunkAssignsReachesNoOther) {
  const std::string mine = "function mineBlock(bot, n) return string.format('%d', n) .. #table.pack(ipairs({})) end";
  const std::string ordinary = R"(
    local said = {mineBlock(bot, 7), ("%d"):format(8), ("x"):rep(2), tostring(9), type(_G), bot:ask(10)[1]}
    for k in pairs({a = 1}) do said[#said + 1] = k end
    local n = coroutine.wrap(function() coroutine.yield(math.floor(1.5)) end)()
    said[#said + 1] = utf8.char(65) .. n .. next({b = 1}) .. select("#", 1, 2)
    bot:chat(table.concat(said, " ")))";
  for (const char* const harm : {"_G.mineBlock = nil",
                                 "mineBlock = nil",
                                 "_G.pairs = nil",
                                 "_G.tostring = nil",
                                 "_G._G = nil",
                                 "_G = {}",
                                 "string.format = function() return 'no' end",
                                 "_G.string.format = nil",
                                 "string = nil string.format = nil",
                                 "rawset(_G, 'string', nil) string.rep = nil",
                                 "for k in pairs(string) do string[k] = nil end",
                                 "for k in pairs(_G) do _G[k] = nil end",
                                 "table.concat = nil table.pack = nil",
                                 "math.floor = print",
                                 "utf8.char = error",
                                 "coroutine.wrap = nil coroutine.yield = nil",
                                 "_ENV.next = nil",
                                 "rawset(_ENV, 'select', 1)",
                                 "bot.ask = nil",
                                 "bot.ask = function() return {0} end",
                                 "rawset(bot, 'ask', print)",
                                 "bot = nil",
                                 "print = nil",
                                 "setmetatable(_G, {__index = function() return 0 end})",
                                 "getmetatable('').__index = nil",
                                 "setmetatable(_ENV, nil)",
                                 "function mineBlock() return 'no' end",
                                 "function pairs() return 'no' end"}) {
    LuaRunner runner;
    const std::string skill = std::string("function skill(bot)\n") + harm + "\nend\n" + harm;
    for (const bool is_first : {true, false}) {
      runner.library = {{"mineBlock", mine}};
      runner.library.insert(is_first ? runner.library.begin() : runner.library.end(), {"skill", skill});
      EXPECT_EQ(runner.says(ordinary), "73 8 xx 9 table 10 a A1b2") << harm;
      EXPECT_EQ(runner.says("pcall(skill, bot)\n" + ordinary), "73 8 xx 9 table 10 a A1b2") << harm;
    }
  }
  LuaRunner runner;
  runner.library = {{"mineBlock", mine}};
  EXPECT_EQ(runner.says("string.format = nil ipairs = nil table.pack = nil bot:chat(mineBlock(bot, 7))"), "73")
      << "the code harms itself alone";
  EXPECT_EQ(runner.says("string.format = nil bot:chat(string.format('%d', 1))"),
            "code:2: attempt to call a nil value (field 'format')");
  EXPECT_EQ(runner.says("string.format = nil bot:chat(('%d'):format(1))"), "1");
  EXPECT_EQ(spelled(runner.run_lines("bot.ask = nil")),
            "code:2: the player takes no fields: keep things in a table of your own");
}

TEST_F(HostileCode, CompiledCode) {
  const std::string compiled = "\x1bLua" + std::string("\x54\x00\x19\x93\r\n\x1a\n", 8) + std::string(40, '\x7F');
  EXPECT_THAT(spelled(runner_.run(compiled)), HasSubstr("compiled code is not run"));
  EXPECT_THAT(spelled(runner_.parse(compiled)), HasSubstr("compiled code is not run"));
}

TEST_F(HostileCode, OutputWithoutEnd) {
  int asked = 0;
  runner_.ask = [&](const Json&) {
    return ++asked < 1000 ? Json{{"value", nullptr}} : Json{{"end", "ended after 1000 calls"}};
  };
  EXPECT_EQ(spelled_run("while true do bot:ask() end"), "killed code:2: ended after 1000 calls");
  EXPECT_EQ(asked, 1000);
  EXPECT_THAT(spelled_run("bot:chat(('x'):rep(1 << 20))"), HasSubstr("the world takes at most 256 KiB at once"));
  EXPECT_THAT(spelled_run("print(('x'):rep(1 << 20))"), HasSubstr("the world takes at most 256 KiB at once"));
}

TEST_F(HostileCode, ArgumentsThatAreNoJson) {
  EXPECT_THAT(spelled_run("local t = {} t.t = t bot:ask(t)"), HasSubstr("nested in tables more than 16 deep"));
  EXPECT_THAT(spelled_run("local t = {} for i = 1, 1e4 do t = {t} end bot:ask(t)"), HasSubstr("more than 16 deep"));
  EXPECT_THAT(spelled_run("bot:ask(print)"), HasSubstr("takes no function"));
  EXPECT_THAT(spelled_run("bot:ask(0 / 0)"), HasSubstr("the world takes no number that is nan"));
  EXPECT_THAT(spelled_run("bot:ask(-(0 / 0))"), HasSubstr("the world takes no number that is nan"));
  EXPECT_THAT(spelled_run("bot:ask(-1 / 0)"), HasSubstr("the world takes no number that is -inf"));
  EXPECT_THAT(spelled_run("bot:ask(bot)"), HasSubstr("the world takes no player"));
  EXPECT_THAT(spelled_run("bot:ask({1, nil, 3})"), HasSubstr("no list with gaps"));
  EXPECT_THAT(spelled_run("bot:ask({1, a = 2})"), HasSubstr("not both in one"));
  EXPECT_THAT(spelled_run("bot:ask({[{}] = 1})"), HasSubstr("a key that is a table"));
  EXPECT_THAT(spelled_run("local t = {} for i = 1, 1e5 do t[i] = i end bot:ask(t)"), HasSubstr("at most 256 KiB"));
  EXPECT_EQ(runner_.says("bot:chat(bot:ask('\\xff\\0\\u{1F600}')[1])"),
            "\xEF\xBF\xBD" + std::string(1, '\0') + "\xF0\x9F\x98\x80");
}

TEST_F(HostileCode, ErrorsThatAreLarge) {
  const std::string text = spelled_run("error(('a'):rep(1 << 20))");
  EXPECT_THAT(text, StartsWith("code:2: aaa"));
  EXPECT_LT(text.size(), 1000);
  EXPECT_THAT(spelled_run("error(setmetatable({}, {__tostring = function() error('again') end}))"),
              HasSubstr("an error was raised that is a table"));
  EXPECT_THAT(spelled_run("error(setmetatable({}, {__tostring = function() return {} end}))"),
              HasSubstr("an error was raised that is a table"));
  EXPECT_THAT(spelled_run("error('\\xff\\27[2J')"), HasSubstr("code:2: ??[2J"));
}

TEST_F(HostileCode, TooLittleForTheLibraries) {
  runner_.memory_bytes = 4000;
  EXPECT_THAT(spelled_run("bot:chat('x')"), testing::AnyOf(HasSubstr("ended"), HasSubstr("killed")));
}

TEST_F(HostileCode, CodeNestedTooDeep) {
  const std::string deep(300'000, '(');
  EXPECT_THAT(spelled(runner_.parse("return " + deep)), HasSubstr("overflow"));
  std::string blocks = "function go(bot)\n";
  for (int i = 0; i < 1000; ++i) blocks += "do ";
  EXPECT_THAT(spelled(runner_.parse(blocks)), HasSubstr("overflow"));
}

}  // namespace
}  // namespace caravel::sandbox
