#include <fmt/format.h>

#include <optional>
#include <unordered_map>

#include "voyager/report_parts.h"
#include "voyager/report_text.h"

namespace caravel::voyager {
namespace {

report::Table role_table(const RunSummary& summary) {
  report::Table table{"", {"asked for", "calls", "tokens in", "tokens out", "cost", "time", "retries", "cut"}, {}};
  const auto add = [&table](std::string_view name, const RoleTotals& role) {
    table.rows.push_back({std::string(name), with_commas(role.calls), with_commas(role.prompt_tokens),
                          with_commas(role.completion_tokens), cost_text(role.cost), seconds_text(role.seconds),
                          with_commas(role.retries), with_commas(role.cut)});
  };
  for (size_t i = 0; i < summary.roles.size(); ++i) {
    if (summary.roles[i].calls > 0) add(role_name(static_cast<Role>(i)), summary.roles[i]);
  }
  add("all", summary.calls());
  return table;
}

/// Writes calls, one after the other; a long message that was there before is named, not written again.
class CallWriter {
 public:
  explicit CallWriter(report::Page& page) : page_(page) {}

  void add(const CallRow& call, bool has_texts) {
    const ModelAnswer& answer = call.answer;
    std::string note =
        fmt::format("{}; {} + {} tokens, {}", call.model, tokens_text(answer.prompt_tokens, answer.counted),
                    with_commas(answer.completion_tokens), seconds_text(answer.seconds));
    if (answer.cost > 0) note += ", cost " + cost_text(answer.cost);
    if (!answer.retries.empty()) note += ", after " + retries_text(static_cast<int64_t>(answer.retries.size()));
    if (answer.is_cut) note += answer.goes_round ? ", cut since it went round in circles" : ", cut";
    const report::Page::Fold fold(page_, fmt::format("{}. {}", call.number, role_name(call.request.role)), note);
    if (!has_texts) return page_.text("Its texts are in calls.jsonl.");
    for (const std::string& why : answer.retries) page_.text("Asked again: " + why);
    for (const Message& message : call.request.messages) add(call.number, message);
    if (!answer.reasoning.empty()) page_.verbatim("reasoning", answer.reasoning);
    page_.verbatim("answer", answer.text);
  }

 private:
  void add(int64_t number, const Message& message) {
    constexpr size_t kLong = 500;  // bytes
    constexpr size_t kFolded = 2000;
    const std::string& role = message.role;
    const std::string& text = message.content;
    if (text.size() >= kLong) {
      const auto [first, is_new] = numbers_.try_emplace(text, number);
      if (!is_new) return page_.text(fmt::format("{}: as in call {}", role, first->second));
    }
    if (text.size() < kFolded) return page_.verbatim(role, text);
    const report::Page::Fold fold(page_, role, with_commas(static_cast<int64_t>(text.size())) + " bytes");
    page_.verbatim("", text);
  }

  report::Page& page_;
  std::unordered_map<std::string, int64_t> numbers_;  // by text: the call that had it first
};

}  // namespace

void add_calls(report::Page& page, const RunStore& run, const RunSummary& summary, size_t most_bytes) {
  page.heading("Prompts and answers");
  if (summary.calls().calls == 0) return page.text("No model was asked.");
  page.table(role_table(summary));
  page.text(fmt::format(
      "Each call by its number, in its order; vectors of texts count too, and are not shown. A long message that was "
      "in an earlier call is named. After {} MiB of this page, texts are in calls.jsonl alone.",
      most_bytes >> 20));
  CallWriter writer(page);
  std::optional<report::Page::Fold> fold;
  int64_t iteration = -1;
  run.each_call([&](const CallRow& call) {
    if (call.iteration != iteration) {
      iteration = call.iteration;
      fold.reset();  // before another begins
      fold.emplace(page, iteration > 0 ? task_title(summary, iteration) : "Before the first task");
    }
    writer.add(call, page.size() < most_bytes);
  });
}

}  // namespace caravel::voyager
