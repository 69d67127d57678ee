#include "mini/mini_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mini/describe.h"
#include "mini/world.h"

namespace caravel::mini {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using voyager::CodeError;
using voyager::Event;
using voyager::ParsedCode;
using voyager::StepOutcome;

class MiniEnvironmentTest : public testing::Test {
 protected:
  void start(const CodeLimits& limits = {}, uint64_t seed = 1) {
    world_ = make_environment(limits);
    world_->start(seed);
  }
  /// Of `function go(bot) ... end` with these lines in it, the first of which is line 2.
  StepOutcome run(const std::string& lines, std::vector<voyager::SkillCode> skills = {}) {
    world_->begin({"function go(bot)\n" + lines + "\nend", "go", std::move(skills)});
    auto outcome = world_->wait(Clock::now() + std::chrono::seconds(60));
    if (!outcome) throw std::runtime_error("a run did not end");
    return *std::move(outcome);
  }
  static std::vector<std::string> said(const StepOutcome& outcome) {
    std::vector<std::string> lines;
    for (const Event& event : outcome.events)
      if (event.kind == Event::Kind::kChat) lines.push_back(event.text);
    return lines;
  }
  static std::string error(const StepOutcome& outcome) { return outcome.error ? outcome.error->message : ""; }

  std::unique_ptr<voyager::Environment> world_;
};

TEST_F(MiniEnvironmentTest, CodeActsInTheWorldAndTheWorldIsAsItLeftIt) {
  start();
  const StepOutcome outcome = run(R"(
    local before = bot:tick()
    bot:wait(25)
    print(bot:tick() - before, type(bot:blockAt(bot:position())), #bot:findBlocks({"grass_block"}, 8, 3)))");
  EXPECT_EQ(error(outcome), "");
  EXPECT_THAT(said(outcome), ElementsAre("25 string 3"));
  EXPECT_EQ(world_->observe(), outcome.after);
}

TEST_F(MiniEnvironmentTest, FromNothingToAWoodenPickaxeByPrimitives) {
  start();
  const StepOutcome outcome = run(R"(
    local function log()
      return bot:findBlocks({"oak_log", "birch_log", "spruce_log", "acacia_log"}, 32, 1)[1]
    end
    local found = exploreUntil(bot, {x = 1, y = 0, z = 0}, 300, log)
    local wood = found.name:gsub("_log", "")
    mineBlock(bot, found.name, 3)
    craftItem(bot, wood .. "_planks", 12)
    craftItem(bot, "crafting_table", 1)
    craftItem(bot, "stick", 4)
    local place = placeItem(bot, "crafting_table")
    craftItem(bot, "wooden_pickaxe", 1)
    givePlacedItemBack(bot, "crafting_table", place))");
  EXPECT_EQ(error(outcome), "");
  EXPECT_EQ(outcome.after.inventory.count("wooden_pickaxe"), 1) << testing::PrintToString(said(outcome));
  EXPECT_EQ(outcome.after.inventory.count("crafting_table"), 1) << testing::PrintToString(said(outcome));
  EXPECT_THAT(said(outcome), Contains("Crafted 1 wooden_pickaxe."));
}

TEST_F(MiniEnvironmentTest, PrimitivesRefuseWrongArgumentsByTheLineOfTheCode) {
  start();
  for (const auto& [lines, message] : std::vector<std::pair<std::string, std::string>>{
           {"mineBlock(bot)", "code:2: mineBlock: name must be the name of a block"},
           {"mineBlock(bot, 'oak_log', 'two')", "code:2: mineBlock: count must be 1 or more"},
           {"mineBlock(bot, 'oak_log', 0)", "code:2: mineBlock: count must be 1 or more"},
           {"mineBlock(bot, 'wood')", "code:2: mineBlock: "},
           {"craftItem(bot, 'pickaxe', 1)", "code:2: craftItem: "},
           {"smeltItem(bot, 'raw_iron')", "code:2: smeltItem: fuelName must be"},
           {"placeItem(bot, 'furnace', {1, 2, 3})", "code:2: placeItem: position must be {x=, y=, z=}"},
           {"killMob(bot, 'dragonfly')", "code:2: killMob: "},
           {"exploreUntil(bot, {x = 0, y = 0, z = 0}, 1, print)",
            "code:2: exploreUntil: direction must not be 0, 0, 0"},
           {"exploreUntil(bot, {x = 1}, 1)", "code:2: exploreUntil: callback must be a function"},
           {"getItemFromChest(bot, 1, {})", "code:2: getItemFromChest: chestPosition must be"},
           {"eatFood(bot, {})", "code:2: eatFood: name must be the name of a food"}}) {
    EXPECT_THAT(error(run(lines)), StartsWith(message)) << lines;
  }
}

TEST_F(MiniEnvironmentTest, PrimitivesSayWhyNot) {
  start();
  EXPECT_THAT(said(run("mineBlock(bot, 'diamond_ore', 2)")),
              ElementsAre("Mined 0 of 2 diamond_ore: no more is seen within 32 blocks, explore first."));
  EXPECT_THAT(said(run("craftItem(bot, 'furnace')")), ElementsAre(StartsWith("Could not craft furnace: ")));
  EXPECT_THAT(said(run("smeltItem(bot, 'raw_iron', 'coal', 2)")),
              ElementsAre("Could not smelt raw_iron: there is no raw_iron in the inventory."));
  EXPECT_THAT(said(run("placeItem(bot, 'furnace')")), ElementsAre(StartsWith("Could not place furnace: ")));
  EXPECT_THAT(said(run("killMob(bot, 'zombie')")), ElementsAre(StartsWith("Did not kill a zombie: ")));
  EXPECT_THAT(said(run("eatFood(bot)")), ElementsAre("Did not eat: there is no food in the inventory."));
  EXPECT_THAT(said(run("checkItemInsideChest(bot, bot:position())")),
              ElementsAre(StartsWith("Could not open the chest: ")));
  EXPECT_THAT(said(run("exploreUntil(bot, {x = 0, y = 0, z = 1}, 3, function() end)")),
              ElementsAre("Explored for 3 seconds and did not find it."));
}

TEST_F(MiniEnvironmentTest, EachLimitEndsTheRunAndTheWorldGoesOn) {
  CodeLimits limits;
  limits.instructions = 1'000'000;
  limits.memory_bytes = 8 << 20;
  limits.ticks = 200;
  limits.calls = 500;
  limits.chat_lines = 5;
  limits.seconds = 0.5;
  start(limits);
  const auto before = world_->observe();
  for (const auto& [lines, message] : std::vector<std::pair<std::string, std::string>>{
           {"while true do end", "code:2: ended after 1000000 instructions"},
           {"local t = {}\nwhile true do t[#t + 1] = {} end", "code:3: ended: it needs more than the 8 MiB"},
           {"while true do pcall(bot.position, bot) end", "code:2: ended after 500 calls of the player's methods"},
           {"while true do print('again') end", "code:2: ended after 5 lines of chat"},
           {"('a'):rep(100000):find(('.-'):rep(20) .. 'b')", "ended after 0.5 seconds without a call"}}) {
    const StepOutcome outcome = run(lines);
    ASSERT_TRUE(outcome.error.has_value()) << lines;
    EXPECT_THAT(outcome.error->message, StartsWith(message)) << lines;
    EXPECT_TRUE(outcome.error->killed) << lines;
    EXPECT_EQ(outcome.after, before) << lines;
    EXPECT_EQ(error(run("bot:position()")), "") << lines;
  }
  const StepOutcome waited = run("while true do pcall(bot.wait, bot, 100) end");
  EXPECT_EQ(error(waited), "code:2: ended after 200 ticks of the world's time: do less in one function");
  EXPECT_EQ(waited.after.tick, before.tick + 200) << "what was done until then stays done";
}

TEST_F(MiniEnvironmentTest, ARunLeavesNothingToTheNext) {
  start();
  EXPECT_EQ(error(run("_G.left = 1 left = 1 string.left = 1 mineBlock = nil math.randomseed(5)")), "");
  EXPECT_THAT(said(run("print(left, string.left, type(mineBlock))")), ElementsAre("nil nil function"));
}

TEST_F(MiniEnvironmentTest, WaitComesBackAtItsDeadline) {
  start();
  world_->begin({"function go(bot) for i = 1, 20 do bot:wait(1) end print('through') end", "go", {}});
  int waits = 0;
  std::optional<StepOutcome> outcome;
  while (!outcome) {
    outcome = world_->wait(Clock::now());
    world_->observe();
    ++waits;
  }
  EXPECT_GT(waits, 1);
  EXPECT_THAT(said(*outcome), ElementsAre("through"));
}

TEST_F(MiniEnvironmentTest, TheSameCodeGivesTheSameBytes) {
  const std::string lines = R"(
    for i = 1, 5 do
      bot:explore(math.random(-1, 1), 0, 1, 40)
      for name, count in pairs({b = 1, a = 2, c = 3}) do print(name, count, {}, math.random()) end
    end)";
  std::vector<std::string> saves;
  std::vector<std::vector<std::string>> chats;
  for (int i = 0; i < 2; ++i) {
    start({}, 7);
    const StepOutcome outcome = run(lines);
    EXPECT_EQ(error(outcome), "");
    saves.push_back(world_->save());
    chats.push_back(said(outcome));
  }
  EXPECT_EQ(saves[0], saves[1]);
  EXPECT_EQ(chats[0], chats[1]);
  world_->restore(saves[0]);
  EXPECT_EQ(world_->save(), saves[0]);
}

TEST_F(MiniEnvironmentTest, ParsesCodeWithoutRunningIt) {
  start();
  const auto parsed =
      world_->parse("local function near() end\nfunction mineOak(bot)\n  mineBlock(bot, 'oak_log')\nend");
  ASSERT_TRUE(std::holds_alternative<ParsedCode>(parsed));
  EXPECT_EQ(std::get<ParsedCode>(parsed).main, "mineOak");
  EXPECT_THAT(std::get<ParsedCode>(parsed).functions, ElementsAre("near", "mineOak"));
  EXPECT_THAT(std::get<ParsedCode>(parsed).calls, ElementsAre("mineBlock"));
  const auto wrong = world_->parse("function mineOak(bot)\n  mineBlock(bot\nend");
  ASSERT_TRUE(std::holds_alternative<CodeError>(wrong));
  EXPECT_THAT(std::get<CodeError>(wrong).message, StartsWith("code:3: "));
  EXPECT_EQ(std::get<CodeError>(wrong).line, 3);
}

TEST_F(MiniEnvironmentTest, SkillsAreThereByName) {
  start();
  const StepOutcome outcome =
      run("waitTwice(bot)", {{"waitOnce", "function waitOnce(bot)\n  bot:wait(10)\nend"},
                             {"waitTwice", "local function waitTwice(bot)\n  waitOnce(bot)\n  waitOnce(bot)\nend"}});
  EXPECT_EQ(error(outcome), "");
  EXPECT_EQ(outcome.after.tick, 20);
}

TEST_F(MiniEnvironmentTest, ASkillThatCannotBeLoadedIsLeftOutOfTheRound) {
  start();
  const std::vector<voyager::SkillCode> skills = {
      {"full", "function full(bot) end\nlocal t = {}\nwhile true do t[#t + 1] = ('x'):rep(60000) end"},
      {"good", "function good(bot) bot:chat('good') end"},
      {"loops", "function loops(bot) end\nwhile true do end"}};
  const StepOutcome outcome = run("good(bot) local _, why = pcall(loops, bot) bot:chat(why)", skills);
  EXPECT_EQ(error(outcome), "");
  EXPECT_THAT(said(outcome), ElementsAre(StartsWith("Skill full is left out: full:3: "),
                                         StartsWith("Skill loops is left out: loops:2: what stands outside"), "good",
                                         HasSubstr("loops cannot be used: loops:2: what stands outside")));
  EXPECT_EQ(error(run("loops(bot)", skills)).substr(0, 35), "code:2: loops cannot be used: loops");
  EXPECT_EQ(world_->load(skills[1]), std::nullopt);
  EXPECT_TRUE(world_->load(skills[2])->killed);
}

TEST_F(MiniEnvironmentTest, LongAndOddChatIsOneLine) {
  start();
  const StepOutcome outcome = run("bot:chat(('x'):rep(100000)) bot:chat('two\\nlines\\xff')");
  EXPECT_THAT(said(outcome), ElementsAre(testing::SizeIs(503), HasSubstr("two?lines")));
}

TEST(Description, EveryCallIsKnownToTheWorldAndEveryPrimitiveIsWhole) {
  World world(1);
  for (const voyager::Primitive& call : player_calls()) {
    const Json answer = world.call(call.name, Json::array());
    EXPECT_THAT(answer.value("error", ""), testing::Not(HasSubstr("there is no call"))) << call.name;
    EXPECT_THAT(call.signature, StartsWith("bot:" + call.name + "("));
  }
  EXPECT_THAT(primitives(), SizeIs(11));
  for (const voyager::Primitive& primitive : primitives()) {
    EXPECT_THAT(primitive.signature, StartsWith(primitive.name + "(bot, "));
    EXPECT_THAT(primitive.help, testing::Not(IsEmpty())) << primitive.name;
    EXPECT_THAT(primitive.source, HasSubstr("function " + primitive.signature));
  }
  const voyager::WorldDescription mini = describe();
  for (const voyager::Tier& tier : mini.tiers)
    for (const std::string& item : tier.items) EXPECT_THAT(mini.all_items, Contains(item));
}

}  // namespace
}  // namespace caravel::mini
