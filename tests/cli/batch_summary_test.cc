#include "cli/batch_summary.h"

#include <gmock/gmock.h>

namespace caravel::cli {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

TEST(BatchSummary, CountsAndNamesTheFirstFailures) {
  BatchOutcome outcome{.rows = 20, .answered = 10, .before = 3, .cut = 1, .tokens = 99, .seconds = 1.25};
  EXPECT_EQ(outcome.exit_code(), 0);
  for (const int line : {9, 2, 8, 3, 7, 5, 4}) outcome.note_failure(line, "id", "why");
  EXPECT_THAT(
      summary(outcome, "out"),
      ElementsAre("20 rows: 10 answered, 3 before, 7 failed; 99 tokens in 1.2 s; 1 answer was cut (finish_reason "
                  "length)",
                  "line 2 (id): why", "line 3 (id): why", "line 4 (id): why", "line 5 (id): why", "line 7 (id): why",
                  "and 2 more", StartsWith("out has the error of each; ")));
  EXPECT_EQ(outcome.exit_code(), 3);
}

TEST(BatchSummary, SaysWhatAnInterruptionLeft) {
  BatchOutcome outcome{.interrupted = true, .rows = 4, .answered = 1};
  outcome.note_failure(2, "", "why");
  EXPECT_THAT(summary(outcome, "out"), ElementsAre("4 rows: 1 answered, 1 failed, 2 left; 0 tokens in 0.0 s",
                                                   "line 2: why", StartsWith("interrupted; the same command goes on")));
  EXPECT_EQ(outcome.exit_code(), 130);
}

TEST(BatchSummary, AdvisesNothingThatNeedsAFileWhereThereIsNone) {
  BatchOutcome outcome{.rows = 2, .answered = 1};
  outcome.note_failure(2, "", "why");
  EXPECT_THAT(summary(outcome, ""), ElementsAre("2 rows: 1 answered, 1 failed; 0 tokens in 0.0 s", "line 2: why"));
  outcome.interrupted = true;
  EXPECT_THAT(summary(outcome, "").back(), StartsWith("interrupted; with --output FILE"));
  BatchOutcome unread{.unread = true, .rows = 3, .answered = 1};
  EXPECT_THAT(summary(unread, "").back(), StartsWith("nobody reads the results any more"));
  EXPECT_EQ(unread.exit_code(), 0);
}

}  // namespace
}  // namespace caravel::cli
