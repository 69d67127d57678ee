#include "voyager/calls.h"

#include <algorithm>

#include "base/error.h"
#include "base/printable.h"
#include "voyager/clean_text.h"

namespace caravel::voyager {
namespace {

constexpr std::string_view kAdvice =
    "the record was made with other prompts, another model or another version of Caravel: go on with those, or begin a "
    "new run";

/// Where two texts part, and how they go on there; empty: they are the same.
std::string parting(std::string_view recorded, std::string_view asked) {
  if (recorded == asked) return {};
  const auto at = static_cast<size_t>(std::ranges::mismatch(recorded, asked).in1 - recorded.begin());
  return fmt::format("at byte {} it says '{}' in the record, and would say '{}'", at,
                     printable(recorded.substr(at), 60), printable(asked.substr(at), 60));
}

[[noreturn]] void refuse(const ModelRequest& asked, int64_t number, const std::string& how) {
  throw fail<InvalidArgument>("call {} ({}) was asked otherwise: {}; {}", number, role_name(asked.role), how, kAdvice);
}

}  // namespace

void check_same_role(const ModelRequest& recorded, const ModelRequest& asked, int64_t number) {
  if (recorded.role != asked.role)
    refuse(asked, number, fmt::format("the record has a call of {} there", role_name(recorded.role)));
}

void check_same(const ModelRequest& recorded, const ModelRequest& asked, int64_t number) {
  check_same_role(recorded, asked, number);
  if (recorded.messages.size() != asked.messages.size())
    refuse(asked, number, fmt::format("of {} messages, not {}", recorded.messages.size(), asked.messages.size()));
  for (size_t i = 0; i < asked.messages.size(); ++i) {
    if (recorded.messages[i].role != asked.messages[i].role)
      refuse(asked, number,
             fmt::format("message {} is of '{}', not '{}'", i + 1, recorded.messages[i].role, asked.messages[i].role));
    const std::string how = parting(recorded.messages[i].content, asked.messages[i].content);
    if (!how.empty()) refuse(asked, number, fmt::format("in message {}, {}", i + 1, how));
  }
  if (const std::string how = parting(recorded.schema, asked.schema); !how.empty())
    refuse(asked, number, "in its schema, " + how);
}

void check_same(const std::string& recorded, const std::string& asked, int64_t number) {
  if (const std::string how = parting(recorded, asked); !how.empty())
    throw fail<InvalidArgument>("call {} (a vector) was of another text: {}; {}", number, how, kAdvice);
}

Calls::Calls(const Models& models, const Budget& budget, RunStore& store, Watcher& watcher, bool repeats)
    : models_(models), budget_(budget), store_(store), watcher_(watcher), repeats_(repeats), totals_(store.totals()) {}

void Calls::go_on(int64_t done, int64_t iteration) {
  done_ = done;
  iteration_ = iteration;
}

ChatModel& Calls::model_for(Role role) const {
  if (role == Role::kCritic) return *models_.critic;
  return role == Role::kAction || role == Role::kDescribe ? *models_.action : *models_.curriculum;
}

void Calls::check_budget() const {
  const int64_t tokens = totals_.prompt_tokens + totals_.completion_tokens;
  const double minutes = seconds_since(start_) / 60;
  if (budget_.calls > 0 && totals_.calls >= budget_.calls)
    throw BudgetUsed{fmt::format("the budget of {} calls is used up", budget_.calls)};
  if (budget_.tokens > 0 && tokens >= budget_.tokens)
    throw BudgetUsed{fmt::format("the budget of {} tokens is used up: {} were taken", budget_.tokens, tokens)};
  if (budget_.cost > 0 && totals_.cost >= budget_.cost)
    throw BudgetUsed{fmt::format("the budget of {:g} is used up: the calls cost {:.4f}", budget_.cost, totals_.cost)};
  if (budget_.minutes > 0 && minutes >= budget_.minutes)
    throw BudgetUsed{fmt::format("the budget of {:g} minutes is used up", budget_.minutes), /*is_of_process=*/true};
}

ModelAnswer Calls::chat(const ModelRequest& request) {
  const int64_t number = done_ + 1;
  if (const auto recorded = store_.call(number)) {
    if (repeats_)
      check_same(recorded->request, request, number);
    else
      check_same_role(recorded->request, request, number);
    done_ = number;
    return recorded->answer;
  }
  check_budget();
  ChatModel& model = model_for(request.role);
  watcher_.on(ModelAsked{request.role, model.name()});
  CallRow row{.number = number, .iteration = iteration_, .request = request};
  row.answer = model.answer(request, [this](std::string_view piece) { watcher_.on(AnswerPiece{piece}); });
  row.answer.text = clean_text(row.answer.text);
  row.answer.reasoning = clean_text(row.answer.reasoning);
  row.model = model.name();
  store_.add(row);
  totals_.add(row.answer);
  done_ = number;
  watcher_.on(ModelAnswered{row});
  return row.answer;
}

bool Calls::is_repeated() const {
  const auto is_same = [](const Message& a, const Message& b) { return a.role == b.role && a.content == b.content; };
  const std::optional<CallRow> last = store_.call(done_);
  if (!last) return false;
  for (int64_t number = done_ - 1; number > 0; --number) {
    const std::optional<CallRow> earlier = store_.call(number);
    if (!earlier) continue;  // a vector
    if (earlier->iteration != last->iteration) return false;
    if (earlier->request.role == last->request.role)
      return std::ranges::equal(earlier->request.messages, last->request.messages, is_same) &&
             earlier->answer.text == last->answer.text;
  }
  return false;
}

std::vector<float> Calls::embed(const std::string& text) {
  const int64_t number = done_ + 1;
  if (const auto recorded = store_.embedding(number)) {
    if (repeats_) check_same(recorded->text, text, number);
    done_ = number;
    return recorded->vector;
  }
  check_budget();
  EmbeddingRow row{.number = number, .iteration = iteration_, .model = models_.embedder->name(), .text = text};
  row.vector = models_.embedder->embed(text);
  store_.add(row);
  done_ = number;
  return row.vector;
}

}  // namespace caravel::voyager
