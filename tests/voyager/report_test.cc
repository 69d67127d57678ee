#include "voyager/report.h"

#include <gmock/gmock.h>

#include "report/escape.h"
#include "voyager/made_run.h"
#include "voyager/report_text.h"

namespace caravel::voyager {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

MapImage small_map() {
  return {.width = 40, .height = 30, .rgb = std::vector<uint8_t>(3 * 40 * 30, 90), .left = -5, .top = -15};
}

size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Report, SaysWhatCameOfTheRun) {
  MadeRun run;
  write_small_run(run.store(), "");
  const std::string page = report_page(run.store(), small_map());
  EXPECT_THAT(page,
              AllOf(HasSubstr("<h1>A voyage in the world mini, seed 7</h1>"),
                    HasSubstr(">Models: small of the curriculum, large of the action, small of the critic</p>"),
                    HasSubstr(">Goal: a goal</p>"), HasSubstr(">How it ended: the budget of 5 calls is spent</p>"),
                    HasSubstr("<dt>different items</dt><dd>4</dd>"),
                    HasSubstr("<dt>tier</dt><dd>stone</dd><dd class=\"note\">in iteration 3</dd>"),
                    HasSubstr("<dt>tasks done</dt><dd>2 of 4</dd><dd class=\"note\">5 rounds, the last not ended"),
                    HasSubstr("<dt>model calls</dt><dd>5</dd><dd class=\"note\">after 2 retries</dd>"),
                    HasSubstr("<dt>tokens</dt><dd>about 5,250</dd>"), HasSubstr("<dt>cost</dt><dd>0.0050</dd>")));
  EXPECT_THAT(page, HasSubstr("day 1, day, in the biome forest, at (20, 64, -9), health 20 of 20, food 18 of 20, with "
                              "3 oak_log, 1 stone_pickaxe."));
  EXPECT_THAT(page, HasSubstr("<li class=\"reached\"><b>wood</b><span class=\"note\">iteration 2, by wooden_pickaxe"));
  EXPECT_THAT(page, HasSubstr("<li><b>iron</b><span class=\"note\">not reached</span></li>"));
  EXPECT_THAT(page, HasSubstr("[3.0,4.0,\"cobblestone, stone_pickaxe\"],[4.0,4.0,\"\"]")) << "items, to the end";
}

TEST(Report, SetsTheCriticBesideTheWorld) {
  MadeRun run;
  write_small_run(run.store(), "");
  const std::string page = report_page(run.store(), {});
  EXPECT_THAT(page, HasSubstr("in 2: 50 %. 0 more"));
  EXPECT_THAT(page, HasSubstr("<td>critic: done</td><td class=\"figure\">1</td><td class=\"figure\">1</td></tr>\n"
                              "<tr><td>critic: not done</td><td class=\"figure\">1</td><td class=\"figure\">1</td>"));
  EXPECT_THAT(
      page, HasSubstr("<td>Craft 1 stone pickaxe</td><td class=\"figure\">1</td><td>done</td><td>no</td><td>yes</td>"));
  EXPECT_THAT(page, HasSubstr("<td>not ended</td><td>–</td><td>–</td>"));
}

TEST(Report, ShowsCodeWithWhatCameOfIt) {
  MadeRun run;
  write_small_run(run.store(), "");
  const std::string page = report_page(run.store(), {});
  EXPECT_THAT(page, HasSubstr("<summary>Round 1 <span class=\"note\">error, critic: no, world: no</span>"));
  EXPECT_THAT(page, HasSubstr("<code>function a(bot)\n<mark>  fail()</mark>\nend"));
  EXPECT_THAT(page, HasSubstr("fail is nil (code, line 2)"));
  EXPECT_THAT(page, HasSubstr("oak_log +3, stick -1"));
  EXPECT_THAT(page, HasSubstr("tick 50: says &#34;No tree here.&#34;\ntick 60: is hurt: zombie\n"));
  EXPECT_THAT(page, HasSubstr("<summary>Round 1 <span class=\"note\">no code, critic: yes, world: no</span>"));
}

TEST(Report, TellsWhereASkillServed) {
  MadeRun run;
  write_small_run(run.store(), "");
  const std::string page = report_page(run.store(), {});
  EXPECT_THAT(
      page, HasSubstr("<summary>mineWoodLog <span class=\"note\">2 versions, learnt in iteration 1; used in 1 round"));
  EXPECT_THAT(page, HasSubstr("<td>used by</td><td>given</td>"));
  EXPECT_THAT(page, HasSubstr("<td>used in iterations</td><td>3</td>"));
  EXPECT_THAT(page, HasSubstr("<summary>given <span class=\"note\">there from the start; used in 0 rounds"));
  EXPECT_LT(page.find("-- version 2"), page.find("-- version 1")) << "the newest is what there is";
}

TEST(Report, HasEveryPromptAndAnswerInOrder) {
  MadeRun run;
  write_small_run(run.store(), "");
  const std::string page = report_page(run.store(), {});
  size_t before = 0;
  for (int i = 1; i <= 5; ++i) {
    for (const char* part : {"call ", "answer "}) {
      const size_t at = page.find(">\n" + std::string(part) + std::to_string(i) + "</pre>");
      ASSERT_NE(at, page.npos) << part << i;
      EXPECT_GT(at, before) << part << i;
      before = at;
    }
  }
  EXPECT_THAT(page, HasSubstr("about 1,000 + 50 tokens, 1.5 s, cost 0.0010, after 2 retries, cut</span>"));
  EXPECT_THAT(page, AllOf(HasSubstr("Asked again: status 429"), HasSubstr(">\nthought</pre>")));
  EXPECT_EQ(count(page, std::string(600, 'r')), 1) << "a long message is there once";
  EXPECT_EQ(count(page, "system: as in call 1<"), 4);
}

TEST(Report, LeavesOutTextsThatAreTooMany) {
  MadeRun run;
  write_small_run(run.store(), "");
  const std::string page = report_page(run.store(), {}, 1);
  EXPECT_THAT(page, AllOf(Not(HasSubstr("answer 1")), HasSubstr("<summary>5. action")));
  EXPECT_EQ(count(page, "Its texts are in calls.jsonl."), 5);
}

TEST(Report, WhatModelsWriteStaysText) {
  const std::string mark = "</script></pre><img src=x onerror=alert(1)>\"'&\xC3";
  MadeRun run;
  write_small_run(run.store(), mark);
  const std::string page = report_page(run.store(), small_map());
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  EXPECT_EQ(count(page, "</script>"), 3) << "the page's own";
  for (const char* text : {"You play.",     "call 3",       "answer 3",        "thought",
                           "status 429",    "small-model",  "Mine 1 wood log", "By hand.",
                           "It is first.",  "fail()",       "fail is nil",     "code:2 in a",
                           "No tree here.", "zombie",       "Look for trees.", "oak_log",
                           "Mines a log.",  "-- version 1", "-- version 2",    "wood",
                           "a goal",        "line",         "is spent",        "What is a log?",
                           "Wood."}) {
    const std::string filler = text == std::string("You play.") ? std::string(600, 'r') : "";
    EXPECT_THAT(page, HasSubstr(report::escape_html(text + filler + mark))) << text;
  }
}

TEST(Report, ARunThatWasNotBegunHasAPage) {
  MadeRun run;
  const std::string page = report_page(run.store(), {});
  EXPECT_THAT(page, AllOf(HasSubstr("How it ended: not ended"), HasSubstr("None was found."),
                          HasSubstr("No model was asked."), Not(HasSubstr("<img"))));
}

TEST(Report, HasTheSameBytes) {
  MadeRun one;
  MadeRun other("other");
  write_small_run(one.store(), "");
  write_small_run(other.store(), "");
  EXPECT_EQ(report_page(one.store(), small_map()), report_page(other.store(), small_map()));
}

TEST(ReportText, NumbersHaveCommas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(-1000), "-1,000");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
}

TEST(Compare, SetsFiguresInColumns) {
  MadeRun run;
  MadeRun empty("empty");
  write_small_run(run.store(), "");
  EXPECT_EQ(compare_text({{"full", &run.store()}, {"Größe", &empty.store()}}),
            "                                  full  Größe\n"
            "model of the curriculum          small      –\n"
            "model of the action              large      –\n"
            "model of the critic              small      –\n"
            "goal                            a goal      –\n"
            "seed                                 7      0\n"
            "different items                      4      0\n"
            "  after iteration 1                  1      –\n"
            "  after iteration 2                  2      –\n"
            "  after iteration 3                  4      –\n"
            "  after iteration 4                  4      –\n"
            "wood, in iteration                   2      –\n"
            "stone, in iteration                  3      –\n"
            "iron, in iteration                   –      –\n"
            "tasks done                           2      0\n"
            "tasks failed                         1      0\n"
            "rounds                               5      0\n"
            "rounds that used skills              1      0\n"
            "skills                               2      0\n"
            "model calls                          5      0\n"
            "retries                              2      0\n"
            "tokens in                  about 5,000      0\n"
            "tokens out                   about 250      0\n"
            "cost                            0.0050      –\n"
            "models' time                     7.5 s   0 ms\n"
            "critic's accuracy                 50 %      –\n"
            "rounds it was measured in            4      0\n"
            "full: the budget of 5 calls is spent\n"
            "Größe: not ended\n");
}

TEST(Compare, APageHasALineForEachRun) {
  const std::string mark = "</script><b>";
  MadeRun one;
  MadeRun other("other");
  write_small_run(one.store(), mark);
  write_small_run(other.store(), "");
  const std::string page = compare_page({{"one" + mark, &one.store()}, {"other", &other.store()}});
  EXPECT_EQ(count(page, "[3.0,4.0,\"cobblestone, stone_pickaxe\"]"), 2);
  EXPECT_THAT(page, AllOf(HasSubstr(report::escape_html("one" + mark)),
                          HasSubstr(report::escape_html("is spent" + mark)), Not(HasSubstr("</script><b>"))));
}

}  // namespace
}  // namespace caravel::voyager
