#include "cli/voyage/voyage_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/usage.h"
#include "cli/voyage/default_command.h"
#include "fixtures.h"

namespace caravel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename Run>
std::string usage_error(const Run& run) {
  try {
    run();
    return "none";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(VoyageBudget, IsReadWhole) {
  const voyager::Budget budget = parse_budget("tokens=200000, minutes=0.5,calls=7,cost=1e-2");
  EXPECT_EQ(budget.tokens, 200000);
  EXPECT_EQ(budget.calls, 7);
  EXPECT_EQ(budget.minutes, 0.5);
  EXPECT_EQ(budget.cost, 0.01);
  EXPECT_EQ(parse_budget("").tokens, 0);
  for (const char* const wrong : {"tokens", "tokens=", "tokens=0", "tokens=-1", "tokens=1.5", "time=3", "cost=inf",
                                  "minutes=nan", "tokens=5;calls=3", ",", "=5", "tokens=5,", ",tokens=5"}) {
    EXPECT_THAT(usage_error([&] { parse_budget(wrong); }), HasSubstr("tokens=200000,minutes=30")) << wrong;
  }
}

TEST(VoyageBudget, GivesEachBoundOnce) {
  EXPECT_EQ(usage_error([] { parse_budget("tokens=5,calls=3,tokens=6"); }),
            "--budget tokens=5,calls=3,tokens=6: gives tokens twice");
  EXPECT_THAT(usage_error([] { parse_budget("cost=1,cost=1"); }), HasSubstr("gives cost twice"));
}

TEST(ModelChoice, IsAnAddressWithAName) {
  EXPECT_EQ(parse_llm("--llm", "http://localhost:8000/v1/"), (ModelChoice{"http://localhost:8000/v1", ""}));
  EXPECT_EQ(parse_llm("--llm", "https://a/v1#org/name#2"), (ModelChoice{"https://a/v1", "org/name#2"}));
  EXPECT_THAT(usage_error([] { parse_llm("--critic-llm", "localhost:8000"); }),
              testing::StartsWith("--critic-llm localhost:8000: it begins with neither"));
  EXPECT_THAT(usage_error([] { parse_llm("--llm", "http://"); }), HasSubstr("names no host"));
  EXPECT_THAT(usage_error([] { parse_llm("--llm", "http://a/v1/chat/completions"); }),
              HasSubstr("give what stands before /chat/completions: http://a/v1"));
  EXPECT_THAT(usage_error([] { parse_llm("--action-llm", "#x"); }), HasSubstr("--action-llm #x: names no endpoint"));
  const ModelChoice choice{"http://a", "b"};
  EXPECT_EQ(model_choice_from(to_json(choice)), choice);
  EXPECT_EQ(model_choice_from(to_json(ModelChoice{})), ModelChoice{});
}

/// The flags of `caravel voyage run`, parsed.
class VoyageFlags : public testing::Test {
 protected:
  VoyageFlags() { options_.add_to(command_); }

  void parse(const std::string& line) { command_.parse(line); }

  CLI::App command_;
  VoyageOptions options_;
};

TEST_F(VoyageFlags, GiveTheAgentsConfiguration) {
  parse("--seed 7 --iterations 9 --without critic,feedback --curriculum random --rounds 2");
  const voyager::AgentConfig config = options_.agent_config();
  EXPECT_EQ(config.seed, 7U);
  EXPECT_EQ(config.iterations, 9);
  EXPECT_EQ(config.rounds, 2);
  EXPECT_TRUE(config.skill_library);
  EXPECT_FALSE(config.critic);
  EXPECT_FALSE(config.feedback);
  EXPECT_TRUE(config.random_curriculum);
}

TEST_F(VoyageFlags, RefuseAPartThatThereIsNot) {
  parse("--without memory");
  EXPECT_THAT(usage_error([&] { options_.agent_config(); }), HasSubstr("skills, critic, feedback"));
}

TEST_F(VoyageFlags, RefuseSecondsThatNoClockCounts) {
  for (const char* const flag : {"--llm-timeout", "--llm-silence"}) {
    for (const char* const wrong : {"1e300", "inf", "nan", "0", "1e-9", "-1"}) {
      EXPECT_THROW(parse(std::string(flag) + " " + wrong), CLI::ValidationError) << flag << " " << wrong;
    }
  }
  parse("--llm-timeout 1e9 --llm-silence 0.001");
  EXPECT_EQ(options_.models.timeout, 1e9);
}

TEST_F(VoyageFlags, RefuseAContextThatNoPromptForCodeFitsIn) {
  EXPECT_THROW(parse("--llm-context 2047"), CLI::ValidationError);
  parse("--llm-context 2048");
}

TEST_F(VoyageFlags, RefuseAGoalThatIsBlank) {
  parse("--goal '  '");
  EXPECT_THAT(usage_error([&] { options_.agent_config(); }), HasSubstr("is blank"));
}

TEST_F(VoyageFlags, ReadTasksLineByLine) {
  const std::string path = tests::temporary_path("tasks.txt");
  std::ofstream(path) << "\xEF\xBB\xBF# first\nMine 1 wood log\r\n\n  Craft a table  \n";
  EXPECT_THAT(read_tasks(path), ElementsAre("Mine 1 wood log", "Craft a table"));
  std::ofstream(path) << "# nothing\n";
  EXPECT_THAT(usage_error([&] { read_tasks(path); }), HasSubstr("has no task"));
  std::filesystem::remove(path);
}

TEST_F(VoyageFlags, GiveEachRoleItsModel) {
  parse("--llm http://a/v1 --llm-model one --critic-llm http://b/v1#two --embedder endpoint#vectors --price 0.5,2");
  const ModelSettings settings = options_.models.settings(3);
  EXPECT_EQ(settings.curriculum, (ModelChoice{"http://a/v1", "one"}));
  EXPECT_EQ(settings.action, settings.curriculum);
  EXPECT_EQ(settings.critic, (ModelChoice{"http://b/v1", "two"}));
  EXPECT_EQ(settings.embedder.model, (ModelChoice{"http://a/v1", "vectors"}));
  EXPECT_FALSE(settings.needs_engine());
  EXPECT_EQ(settings.prices.output, 2);
  // A run that goes on has the same.
  EXPECT_EQ(to_json(model_settings_from(to_json(settings))), to_json(settings));
}

TEST_F(VoyageFlags, RefuseAModelThatWouldAnswerNothing) {
  parse("some.gguf --llm http://a/v1 --embedder endpoint");
  EXPECT_THAT(usage_error([&] { options_.models.settings(1); }), HasSubstr("would answer nothing"));
}

TEST_F(VoyageFlags, AreThoseOfTheBeginningAlone) {
  parse("--resume --budget tokens=5 --iterations 50");
  options_.check_flags_of_a_record();
  EXPECT_EQ(options_.more_iterations(), 50);
  parse("--resume --seed 5");
  EXPECT_THAT(usage_error([&] { options_.check_flags_of_a_record(); }), HasSubstr("leave --seed out"));
}

TEST_F(VoyageFlags, AskNoModelForAReplay) {
  parse("--replay other --llm http://a");
  EXPECT_THAT(usage_error([&] { options_.check_flags_of_a_record(); }), HasSubstr("leave --llm out"));
}

TEST(DefaultCommand, IsRunBehindVoyage) {
  CLI::App program;
  CLI::App& voyage = *program.add_subcommand("voyage");
  for (const char* const name : {"run", "compare", "prompts"}) voyage.add_subcommand(name);
  program.add_subcommand("serve");
  const auto with = [&](std::vector<std::string> arguments) { return with_voyage_run(program, std::move(arguments)); };
  EXPECT_THAT(with({"voyage"}), ElementsAre("voyage", "run"));
  EXPECT_THAT(with({"voyage", "--out", "a"}), ElementsAre("voyage", "run", "--out", "a"));
  EXPECT_THAT(with({"voyage", "smollm2"}), ElementsAre("voyage", "run", "smollm2"));
  EXPECT_THAT(with({"voyage", "compare", "a"}), ElementsAre("voyage", "compare", "a"));
  EXPECT_THAT(with({"voyage", "comapre", "a"}), ElementsAre("voyage", "comapre", "a"));
  EXPECT_THAT(with({"voyage", "--help"}), ElementsAre("voyage", "--help"));
  EXPECT_THAT(with({"serve", "voyage"}), ElementsAre("serve", "voyage"));
}

}  // namespace
}  // namespace caravel::cli
