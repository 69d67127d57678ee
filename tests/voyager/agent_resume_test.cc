#include <gmock/gmock.h>

#include <atomic>

#include "base/error.h"
#include "base/interrupt.h"
#include "voyager/agent_fixture.h"
#include "voyager/recorded_model.h"
#include "voyager/run_summary.h"

namespace caravel::voyager {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Stands for a kill: nobody catches it.
struct Killed {};

/// Ends the process, so to say, at the n-th thing that it is shown: before and after every call, commit and look.
class KillingWatcher : public Watcher {
 public:
  explicit KillingWatcher(int most) : most_(most) {}
  int shown() const { return shown_; }
  void on(const Happening&) override {
    if (shown_++ == most_) throw Killed();
  }

 private:
  int most_;
  int shown_ = 0;
};

class ResumeTest : public AgentTest {
 protected:
  /// What a run has of everything: mistakes, rounds, a goal's or a curriculum's way.
  void script() {
    model = ScriptedModel();
    model.answers[Role::kPropose] =
        in_turn({"Dig!", R"({"reasoning": "r", "task": "Get 2 log"})", R"({"task": "Get 1 gem"})"});
    model.answers[Role::kAction] =
        in_turn({"```fake\nfunction a(bot)\nsay x\nfail y\nend\n```", "```fake\noh no\n```",
                 "```fake\nfunction a(bot)\nget log\nend\n```", "```fake\nfunction b(bot)\ncall a\ncall a\nend\n```",
                 "```fake\nfunction c(bot)\nget gem\nend\n```"});
    model.answers[Role::kCritic] =
        in_turn({R"({"success": true})", R"({"success": false, "critique": "again"})", R"({"success": true})"});
  }
  /// False: it was killed.
  bool run_until(const std::string& name, int shown) {
    RunStore store(folder(name), RunStore::Open::kWriting);
    FakeWorld world;
    world.waits_left = 1;
    if (prepare) prepare(world);
    KillingWatcher killing(shown);
    try {
      Agent(config, budget, world, model.models(), prompts, store, killing).run();
    } catch (const Killed&) {
      return false;
    }
    shown_ = killing.shown();
    return true;
  }
  std::string everything(const std::string& name) const {
    const RunStore store(folder(name), RunStore::Open::kReading);
    return exported(store) + *store.world() + to_text(store.state()) + to_text(store.setup()) + to_text(store.ending());
  }

  int shown_ = 0;  // by the last run that was not killed
};

TEST_F(ResumeTest, KilledAnywhereItEndsAsIfNothingHadHappened) {
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  const std::string whole = everything("whole");
  const size_t asked = model.asked.size();
  EXPECT_EQ(tasks("whole"), "Mine 1 wood log +\nGet 2 log +\nGet 1 gem +\n");
  for (int shown = 0;; ++shown) {
    script();
    const std::string name = "killed" + std::to_string(shown);
    if (run_until(name, shown)) {
      EXPECT_GT(shown, 40);
      break;
    }
    ASSERT_TRUE(run_until(name, 1 << 20));
    ASSERT_EQ(difference(everything(name), whole), "") << "killed behind " << shown;
    // One is asked twice where it was answered in part.
    EXPECT_LE(model.asked.size(), asked + 1) << "killed behind " << shown;
  }
}

TEST_F(ResumeTest, InAWorldThatIsNotTheSameTwiceAnAnswerStandsWhateverWouldBeAsked) {
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  prepare = [](FakeWorld& world) { world.drift(); };
  for (int shown = 0;; ++shown) {
    script();
    const std::string name = "killed" + std::to_string(shown);
    if (run_until(name, shown)) break;
    ASSERT_TRUE(run_until(name, 1 << 20)) << "killed behind " << shown;
    EXPECT_EQ(tasks(name), tasks("whole")) << "killed behind " << shown;
  }
}

TEST_F(ResumeTest, KilledAgainAndAgainItEndsTheSame) {
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  script();
  int lives = 1;
  while (!run_until("killed", 3)) ASSERT_LT(++lives, 200);
  EXPECT_GT(lives, 10);
  EXPECT_EQ(difference(everything("killed"), everything("whole")), "");
}

TEST_F(ResumeTest, StoppedAmongTheSkillsThatItStartsWithItGoesOnWithoutThem) {
  for (const char* const name : {"first", "second", "third"})
    config.skills.push_back(
        {.name = name, .code = std::string("function ") + name + "(bot)\nget gem\nend\n", .description = name});
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  const std::vector<SkillRow> skills = config.skills;
  for (int answered = 0; answered < 3; ++answered) {
    script();
    const std::string name = "stopped" + std::to_string(answered);
    config.skills = skills;
    model.before_call = [&] {
      if (model.embedded == answered) throw ModelError("it is down");
    };
    EXPECT_THROW(run(name), ModelError);
    {
      const RunStore left(folder(name), RunStore::Open::kReading);
      EXPECT_FALSE(left.setup().is_null());
      EXPECT_EQ(left.skills().size(), 3U);
      EXPECT_EQ(left.last_number(), answered);
    }
    model.before_call = nullptr;
    config.skills.clear();  // as who goes on by the record has it
    ASSERT_TRUE(run_until(name, 1 << 20));
    EXPECT_EQ(difference(everything(name), everything("whole")), "") << answered;
    const RunStore end(folder(name), RunStore::Open::kReading);
    for (const SkillRow& skill : end.skills()) EXPECT_FALSE(skill.embedding.empty()) << skill.name;
  }
}

TEST_F(ResumeTest, InterruptedBeforeItHasBegunItLeavesNothingAndBeginsAnew) {
  config.skills = {{.name = "first", .code = "function first(bot)\nend\n", .description = "first"}};
  const std::atomic<bool> gone = true;
  script();
  {
    const InterruptScope scope(gone, false);
    EXPECT_EQ(run().kind, Ending::Kind::kInterrupted);
  }
  {
    const RunStore left(folder("run"), RunStore::Open::kReading);
    EXPECT_TRUE(left.setup().is_null());
    EXPECT_TRUE(left.ending().is_null());
  }
  EXPECT_EQ(run().kind, Ending::Kind::kDone);
}

TEST_F(ResumeTest, KilledWhereQuestionsAreAskedItEndsTheSame) {
  const auto script_questions = [&] {
    model = ScriptedModel();
    model.answers[Role::kPropose] = [](const std::string& prompt) {
      return R"({"task": "Get 1 x)" + std::to_string(prompt.size()) + "\"}";
    };
  };
  config.iterations = 16;
  script_questions();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  const int all = shown_;
  ASSERT_GT(model.count(Role::kQuestions), 0);
  const std::string whole = everything("whole");
  for (int behind = 0; behind < 24; ++behind) {
    script_questions();
    const std::string name = "killed" + std::to_string(behind);
    ASSERT_FALSE(run_until(name, all - behind - 1));
    ASSERT_TRUE(run_until(name, 1 << 20));
    ASSERT_EQ(difference(everything(name), whole), "") << behind;
  }
}

TEST_F(ResumeTest, KilledOnTheWayToAGoalItEndsTheSame) {
  config.goal = "Get 1 gem";
  config.iterations = 10;
  config.rounds = 1;
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  const std::string whole = everything("whole");
  for (int shown = 0;; shown += 3) {
    script();
    const std::string name = "killed" + std::to_string(shown);
    if (run_until(name, shown)) break;
    ASSERT_TRUE(run_until(name, 1 << 20));
    ASSERT_EQ(difference(everything(name), whole), "") << shown;
  }
}

TEST_F(ResumeTest, OtherPromptsAreNotMixedIntoARun) {
  script();
  ASSERT_FALSE(run_until("run", 4));
  Json texts = prompts.to_json();
  texts["answer"] = "primary_content: 'Tell me: {question}'";
  prompts = Prompts::from(texts);
  try {
    run_until("run", 1 << 20);
    ADD_FAILURE() << "another prompt";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("call 1 (answer) was asked otherwise"), HasSubstr("of 2 messages, not 1")));
  }
}

TEST_F(ResumeTest, AReplayAsksNobodyAndLeavesTheSameBytes) {
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  const RunStore record(folder("whole"), RunStore::Open::kReading);
  for (const int killed_behind : {1 << 20, 17}) {
    const std::string name = "again" + std::to_string(killed_behind);
    bool is_whole = false;
    for (int life = 0; life < 2 && !is_whole; ++life) {
      RunStore store(folder(name), RunStore::Open::kWriting);
      FakeWorld world;
      KillingWatcher watching(life == 0 ? killed_behind : 1 << 20);
      const RecordedModels recorded(record, store.last_number());
      try {
        Agent(agent_config_from(record.setup().at("agent")), {}, world, recorded.models(),
              Prompts::from(record.setup().at("prompts")), store, watching)
            .run();
        is_whole = true;
      } catch (const Killed&) {
      }
    }
    ASSERT_TRUE(is_whole);
    EXPECT_EQ(difference(everything(name), everything("whole")), "");
  }
}

TEST_F(ResumeTest, AReplayOfAnInterruptedRunEndsWhereThatDid) {
  script();
  budget.calls = 7;
  run("cut");
  const RunStore record(folder("cut"), RunStore::Open::kReading);
  RunStore store(folder("again"), RunStore::Open::kWriting);
  FakeWorld world;
  const RecordedModels recorded(record, 0);
  const Ending ending = Agent(config, {}, world, recorded.models(), prompts, store, watcher).run();
  EXPECT_EQ(ending.kind, Ending::Kind::kInterrupted);
  EXPECT_THAT(ending.text, HasSubstr("ends behind call"));
  EXPECT_EQ(difference(exported(store), exported(record)), "");
}

TEST_F(ResumeTest, AReplayNamesTheModelThatAnsweredEachCall) {
  script();
  budget.calls = 7;
  run("two");
  budget = {};
  model.known_as = "another";
  run("two");
  const RunStore record(folder("two"), RunStore::Open::kReading);
  RunStore store(folder("again"), RunStore::Open::kWriting);
  FakeWorld world;
  const RecordedModels recorded(record, 0);
  Agent(config, {}, world, recorded.models(), prompts, store, watcher).run();
  EXPECT_EQ(record.call(record.last_number() - 1)->model, "another");
  EXPECT_EQ(difference(exported(store), exported(record)), "");
}

TEST_F(ResumeTest, ATaskThatGoesOnHasNoEndAmongTheEvents) {
  script();
  budget.calls = 3;  // behind the first round of the first task
  run();
  const RunStore record(folder("run"), RunStore::Open::kReading);
  ASSERT_EQ(iterations().size(), 1U);
  const std::string left = exported(record);
  EXPECT_THAT(left, AllOf(HasSubstr(R"("type":"step")"), testing::Not(HasSubstr(R"("type":"iteration")"))));
  const RunSummary summary = summarise(record);
  EXPECT_EQ(summary.open, 1);
  EXPECT_TRUE(summary.tasks.at(0).is_open());
  EXPECT_EQ(summary.tasks[0].rounds, std::ssize(steps()));
}

TEST_F(ResumeTest, TheLastBudgetIsKept) {
  script();
  budget = {.tokens = 500, .calls = 4, .minutes = 1.5, .cost = 0.25};
  run();
  const auto kept = [this] {
    return budget_from(RunStore(folder("run"), RunStore::Open::kReading).setup().at("budget"));
  };
  EXPECT_EQ(kept(), budget);
  budget = {.calls = 5};
  EXPECT_EQ(run().kind, Ending::Kind::kBudget);
  EXPECT_EQ(kept(), budget);
  EXPECT_EQ(budget_from(nullptr), Budget());
  EXPECT_THROW(budget_from(Json("much")), FormatError);
}

TEST_F(ResumeTest, AReplayWithAnotherConfigurationSaysWhereItParts) {
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  const RunStore record(folder("whole"), RunStore::Open::kReading);
  RunStore store(folder("again"), RunStore::Open::kWriting);
  FakeWorld world;
  config.feedback = false;
  const RecordedModels recorded(record, 0);
  try {
    Agent(config, {}, world, recorded.models(), prompts, store, watcher).run();
    ADD_FAILURE() << "another configuration";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("was asked otherwise: in message 2, at byte"), HasSubstr("y")));
  }
}

TEST_F(ResumeTest, BudgetsEndARunBetweenCallsAndItGoesOnWithMore) {
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  const auto ends = [&](Budget limits, const std::string& why) {
    script();
    budget = limits;
    const Ending ending = run("limited " + why);
    EXPECT_EQ(ending.kind, Ending::Kind::kBudget) << why;
    EXPECT_THAT(ending.text, HasSubstr(why));
    EXPECT_EQ(ending.is_of_process, limits.minutes > 0);
    budget = {};
    EXPECT_EQ(run("limited " + why).kind, Ending::Kind::kDone);
    EXPECT_EQ(difference(exported_run("limited " + why), exported_run("whole")), "");
  };
  ends({.tokens = 500}, "500 tokens is used up: 550 were taken");
  ends({.calls = 4}, "4 calls");
  ends({.minutes = 1e-9}, "minutes");
  ends({.cost = 2}, "of 2 is used up: the calls cost 2.0000");
}

TEST_F(ResumeTest, AnInterruptEndsItAtOnceAndIsKept) {
  std::atomic<bool> gone = false;
  script();
  int calls = 0;
  model.before_call = [&] {
    if (++calls == 9) {
      gone = true;
      check_interrupt_now();
    }
  };
  {
    const InterruptScope scope(gone, false);
    EXPECT_EQ(run().kind, Ending::Kind::kInterrupted);
  }
  EXPECT_EQ(RunStore(folder("run"), RunStore::Open::kReading).ending().at("kind"), "interrupted");
  gone = false;
  model.before_call = nullptr;
  EXPECT_EQ(run().kind, Ending::Kind::kDone);
  script();
  ASSERT_TRUE(run_until("whole", 1 << 20));
  EXPECT_EQ(difference(exported_run(), exported_run("whole")), "");
}

}  // namespace
}  // namespace caravel::voyager
