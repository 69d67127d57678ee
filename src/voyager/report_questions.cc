#include "voyager/report_parts.h"
#include "voyager/report_text.h"

namespace caravel::voyager {

void add_questions(report::Page& page, const RunStore& run) {
  const std::vector<QuestionRow> questions = run.questions();
  if (questions.empty()) return;
  page.heading("Questions");
  page.text("What the curriculum asked about the world and was answered, once each.");
  report::Table table{"", {"iteration", "question", "answer"}, {}};
  for (const QuestionRow& row : questions)
    table.rows.push_back({std::to_string(row.iteration), row.question, row.answer});
  const report::Page::Fold fold(page, counted(static_cast<int64_t>(questions.size()), "answer"));
  page.table(table);
}

}  // namespace caravel::voyager
