// The Minecraft world as the agent meets it: with its server, its bridge and its skills' children.

#include "minecraft/minecraft_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "minecraft/process.h"
#include "minecraft/server.h"
#include "sandbox/sanitized.h"

namespace caravel::minecraft {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using voyager::Event;

bool is_installed() {
  try {
    find_installation();
    return !sandbox::kSanitized;
  } catch (const NotFound&) {
    return false;
  }
}

#define SKIP_WHERE_NOT_INSTALLED() \
  if (!is_installed()) GTEST_SKIP() << "worlds/minecraft is not installed, or this build has a sanitizer"

voyager::StepOutcome run(voyager::Environment& world, const std::string& code,
                         const std::vector<voyager::SkillCode>& skills = {}) {
  world.begin({.code = code, .main = "task", .skills = skills});
  while (true)
    if (auto outcome = world.wait(Clock::now() + std::chrono::seconds(1))) return std::move(*outcome);
}

std::vector<std::string> texts(const std::vector<Event>& events, Event::Kind kind) {
  std::vector<std::string> all;
  for (const Event& event : events)
    if (event.kind == kind) all.push_back(event.text);
  return all;
}

TEST(MinecraftAddress, HostAndPort) {
  EXPECT_EQ(address_in("localhost:25565")->text(), "localhost:25565");
  EXPECT_EQ(address_in("::1:25565")->host, "::1");
  for (const char* const none : {"mini", "minecraft", ":1", "host:", "host:0", "host:65536", "host:x"})
    EXPECT_FALSE(address_in(none)) << none;
}

TEST(MinecraftConnection, NobodyListens) {
  try {
    connect_to({"127.0.0.1", 1}, 5);
    FAIL();
  } catch (const IoError& error) {
    EXPECT_STREQ(error.what(), "127.0.0.1:1: nobody listens there");
  }
}

TEST(MinecraftProcess, SaysWhatItSaidLast) {
  Process echo("the echo",
               {"/bin/sh", "-c",
                "read line; echo '{\"ok\": true, \"line\": 1}'; read line; echo early >&2; echo last words >&2"});
  EXPECT_EQ(echo.ask({{"do", "it"}}, 20).at("line"), 1);
  try {
    echo.ask({{"do", "it"}}, 20);
    FAIL();
  } catch (const IoError& error) {
    EXPECT_STREQ(error.what(), "last words");
  }
  Process silent("the silent", {"/bin/sh", "-c", "sleep 60"});
  EXPECT_THROW(silent.receive(0.1), IoError);
}

TEST(MinecraftEnvironment, RunsCodeAndTellsWhatHappened) {
  SKIP_WHERE_NOT_INSTALLED();
  const auto world = make_environment({.clock = 10, .difficulty = "peaceful"}, {.seconds = 400, .silence = 20});
  const voyager::Observation start = world->start(3);
  EXPECT_EQ(start.health, 20);
  EXPECT_THAT(start.inventory, IsEmpty());
  EXPECT_EQ(world->observe(), start);
  EXPECT_FALSE(world->description().repeats_itself);
  EXPECT_EQ(world->description().clock, 10);
  const voyager::MapImage seen = world->map(1024);
  EXPECT_GE(seen.width, 48);
  EXPECT_EQ(seen.rgb.size(), static_cast<size_t>(3 * seen.width * seen.height));
  EXPECT_EQ(world->map(9, 4).width, 9);

  const auto parsed = world->parse(
      "async function helper(bot, n) {}\nasync function task(bot) { await mineBlock(bot, 'oak_log', 1); helper(bot, "
      "1); }");
  ASSERT_TRUE(std::holds_alternative<voyager::ParsedCode>(parsed));
  EXPECT_EQ(std::get<voyager::ParsedCode>(parsed).main, "task");
  EXPECT_EQ(std::get<voyager::ParsedCode>(parsed).calls, std::vector<std::string>{"mineBlock"});
  EXPECT_EQ(std::get<voyager::CodeError>(world->parse("async function (")).line, 1);
  EXPECT_FALSE(world->load({"getLog", "async function getLog(bot) {}"}));
  EXPECT_THAT(world->load({"getLog", "for (;;);\nasync function getLog(bot) {}"})->message,
              StartsWith("what stands beside"));

  // Of a log that a busy machine's bot did not get at once, it tries again.
  const voyager::StepOutcome first =
      run(*world, "async function task(bot) {\n  await getLog(bot)\n  await craftItem(bot, 'oak_planks', 1)\n}",
          {{"getLog",
            "async function getLog(bot) {\n  for (let i = 0; i < 5 && bot.inventory.items().length === 0; i++)\n"
            "    await mineBlock(bot, 'oak_log', 1)\n}"}});
  SCOPED_TRACE(to_text(to_json(first.after)));
  EXPECT_FALSE(first.error) << first.error->message;
  EXPECT_THAT(texts(first.events, Event::Kind::kChat),
              testing::IsSupersetOf({"Mined 1 oak_log.", "Did the recipe of oak_planks 1 times: 4 made."}));
  EXPECT_THAT(texts(first.events, Event::Kind::kItem), testing::IsSupersetOf({"oak_log", "oak_planks"}));
  EXPECT_THAT(first.after.inventory, Contains(std::pair<const std::string, int>("oak_planks", 4)));
  EXPECT_THAT(first.after.counts, Contains(std::pair<const std::string, int64_t>("crafted:oak_planks", 4)));
  EXPECT_EQ(world->check("Craft 4 oak planks", start, first.after), true);
  EXPECT_EQ(world->check("Craft 5 oak planks", start, first.after), false);

  // Another world, and back again.
  const std::string saved = world->save();
  EXPECT_EQ(world->saved_map(saved, 1024).rgb, world->map(1024).rgb);
  EXPECT_GE(world->map(1024).width, 9 * 16);  // what came into sight while code ran, too
  const voyager::StepOutcome second = run(
      *world,
      "async function task(bot) {\n  await bot.toss(mcData.itemsByName.oak_planks.id, null, 4)\n  bot.nothing()\n}");
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->message, "TypeError: bot.nothing is not a function");
  EXPECT_EQ(second.error->line, 3);
  const auto other = make_environment({.clock = 20, .difficulty = "peaceful"});
  const voyager::Observation restored = other->restore(saved);
  EXPECT_EQ(restored.inventory, first.after.inventory);
  EXPECT_EQ(restored.counts, first.after.counts);
  EXPECT_GE(other->map(1024).width, 9 * 16);
  EXPECT_THROW(other->restore("{}"), FormatError);
  EXPECT_THROW(other->restore(R"({"format":2,"chests":{},"map":[],"world":{"seed":"x","saved":{}}})"), FormatError);
}

TEST(MinecraftEnvironment, HostileCodeEndsAndTheWorldGoesOn) {
  SKIP_WHERE_NOT_INSTALLED();
  const auto world = make_environment({.clock = 20, .difficulty = "peaceful"}, {.seconds = 40, .silence = 5});
  world->start(3);
  const auto error_of = [&](const std::string& body) {
    const auto outcome =
        run(*world, "async function task(bot) {\nconst reached = bot.constructor.constructor('return process')()\n" +
                        body + "\n}");
    return outcome.error.value_or(voyager::CodeError{.message = "none"});
  };
  const voyager::CodeError loop = error_of("await bot.waitForTicks(1); for (;;);");
  EXPECT_THAT(loop.message, StartsWith("ended at the deadline: 5 seconds without an await"));
  EXPECT_TRUE(loop.killed);
  EXPECT_THAT(error_of("await new Promise(() => {})").message,
              StartsWith("ended after 40 seconds of the world's time"));
  EXPECT_THAT(error_of("const all = []; for (;;) all.push(Buffer.alloc(1 << 26, 1))").message,
              testing::AnyOf(HasSubstr("memory"), HasSubstr("allocation")));
  EXPECT_EQ(error_of("reached.exit(0)").message, "ended: its process ended with 0");
  // Words that are not its own: it is taken for done, and has what the server says.
  const auto forged = run(*world,
                          "async function task(bot) {\nconst reached = bot.constructor.constructor('return "
                          "process')()\nreached.getBuiltinModule('fs').writeSync(3, '{\"chest\":\"(0, 0, "
                          "0)\",\"holds\":{\"diamond\":9}}\\n{\"done\":true}\\n'); for (;;);\n}");
  EXPECT_FALSE(forged.error);
  EXPECT_THAT(forged.after.inventory, IsEmpty());
  EXPECT_THAT(texts(forged.events, Event::Kind::kItem), IsEmpty());
  EXPECT_EQ(error_of("reached.getBuiltinModule('fs').writeSync(3, 'x'.repeat(100) + '\\n'); for (;;);").message,
            "ended: its process did not keep to what is agreed");
  EXPECT_EQ(error_of("").message, "none");
}

TEST(MinecraftEnvironment, AnotherServerIsVisited) {
  SKIP_WHERE_NOT_INSTALLED();
  Server server(find_installation(), 3, 1, "peaceful");
  server.run();
  const auto world = make_visiting_environment(server.address());
  EXPECT_EQ(world->description().name, server.address().text());
  const voyager::Observation start = world->start(1);
  EXPECT_EQ(start.health, 20);
  const auto outcome = run(*world, "async function task(bot) {\n  bot.chat('here')\n}");
  EXPECT_FALSE(outcome.error) << outcome.error->message;
  EXPECT_THAT(outcome.events, Contains(Field(&Event::text, "here")));
  EXPECT_EQ(world->check("Mine 1 dirt", start, outcome.after), std::nullopt);
  EXPECT_GE(world->map(1024).width, 48);
  world->restore(world->save());
  EXPECT_THROW(make_visiting_environment({"127.0.0.1", 1})->start(1), IoError);
}

}  // namespace
}  // namespace caravel::minecraft
