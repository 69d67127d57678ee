#include "voyager/recalled_model.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "voyager/recorded_model.h"

namespace caravel::voyager {
namespace {

using Numbers = std::vector<int64_t>;  // of calls

/// Those of a list one after the other, and then the last again.
struct Turns {
  Numbers numbers;
  size_t next = 0;

  bool is_used_up() const { return next >= numbers.size(); }
  /// 0: there are none.
  int64_t take() {
    if (numbers.empty()) return 0;
    return numbers[is_used_up() ? numbers.size() - 1 : next++];
  }
};

/// What a task was answered in one iteration of the record.
struct TaskAnswers {
  Turns actions;
  std::vector<Turns> verdicts;  // on each of the actions
  Turns descriptions;
};

/// What was asked, as a key.
std::string text_of(const ModelRequest& request) {
  std::string text;
  for (const Message& message : request.messages) text += message.role + '\n' + message.content + '\n';
  return text;
}

}  // namespace

struct RecalledModels::Impl {
  struct Chat : ChatModel {
    Chat(std::string name, Impl& all) : known_as(std::move(name)), impl(all) {}
    const std::string& name() const override { return known_as; }
    ModelAnswer answer(const ModelRequest& request, const OnPiece& on_piece) override {
      const int64_t number = impl.number_for(request);
      if (number == 0) return {.text = request.role == Role::kDescribe ? impl.task : ""};
      const CallRow row = impl.record.call(number).value();
      known_as = row.model;
      on_piece(row.answer.text);
      return row.answer;
    }

    std::string known_as;
    Impl& impl;
  };

  struct Vectors : Embedder {
    Vectors(std::string name, Impl& all) : known_as(std::move(name)), impl(all) {}
    const std::string& name() const override { return known_as; }
    std::vector<float> embed(const std::string& text) override {
      const auto found = impl.vectors.find(text);
      if (found != impl.vectors.end()) return impl.record.embedding(found->second).value().vector;
      return std::vector<float>(impl.vector_size, 0.0F);
    }

    std::string known_as;
    Impl& impl;
  };

  static std::string model_name(const Json& setup, const char* whose) {
    if (!setup.is_object() || !setup.contains("names"))
      throw InvalidArgument("the run that is to be replayed was never begun: its record is empty");
    return setup.at("names").value(whose, "");
  }

  Impl(const RunStore& recorded, const RunStore& asking)
      : record(recorded),
        now(asking),
        curriculum(model_name(recorded.setup(), "curriculum"), *this),
        action(model_name(recorded.setup(), "action"), *this),
        critic(model_name(recorded.setup(), "critic"), *this),
        embedder(model_name(recorded.setup(), "embedder"), *this) {
    std::map<int64_t, TaskAnswers> by_iteration;
    record.each_call([&](const CallRow& row) {
      if (row.request.role == Role::kAnswer) answered.emplace(text_of(row.request), row.number);
      TaskAnswers& task_answers = by_iteration[row.iteration];
      switch (row.request.role) {
        case Role::kAction:
          task_answers.actions.numbers.push_back(row.number);
          task_answers.verdicts.emplace_back();
          break;
        case Role::kDescribe:
          task_answers.descriptions.numbers.push_back(row.number);
          break;
        case Role::kCritic:
          // Before any code of an iteration it was the goal that was judged.
          (task_answers.verdicts.empty() ? goal_verdicts : task_answers.verdicts.back()).numbers.push_back(row.number);
          break;
        default:
          in_order[row.request.role].numbers.push_back(row.number);
      }
    });
    record.each_iteration([&](const IterationRow& row) { by_task[row.task].push_back(by_iteration[row.number]); });
    for (int64_t number = 1; number <= record.last_number(); ++number) {
      const auto row = record.embedding(number);
      if (!row) continue;
      vectors.emplace(row->text, number);
      vector_size = row->vector.size();
    }
  }

  /// 0: the record has nothing to say to it. Throws RecordEnded.
  int64_t number_for(const ModelRequest& request) {
    switch (request.role) {
      case Role::kAction:
        begin_task();
        return answers ? answers->actions.take() : 0;
      case Role::kDescribe:
        return answers ? answers->descriptions.take() : 0;
      case Role::kCritic:
        return verdict();
      default:
        break;
    }
    if (const auto same = answered.find(text_of(request)); request.role == Role::kAnswer && same != answered.end())
      return same->second;
    Turns& turns = in_order[request.role];
    if (turns.numbers.empty() || (request.role == Role::kPropose && turns.is_used_up()))
      throw fail<RecordEnded>("the record that is replayed has no further answer of {}: that run went no further",
                              role_name(request.role));
    return turns.take();
  }

  /// The task whose code is asked for is the one that was begun last; of several of its name in the record the next.
  void begin_task() {
    const IterationRow row = now.last_iteration().value();
    if (row.number == iteration) return;
    iteration = row.number;
    task = row.task;
    answers.reset();
    const auto found = by_task.find(task);
    if (found != by_task.end()) answers = found->second[std::min(begun[task]++, found->second.size() - 1)];
  }

  int64_t verdict() {
    const auto row = now.last_iteration();
    if (!row || row->has_ended() || row->number != iteration) return goal_verdicts.take();
    if (!answers || answers->actions.next == 0) return 0;
    std::vector<Turns>& verdicts = answers->verdicts;
    if (const int64_t number = verdicts[answers->actions.next - 1].take(); number != 0) return number;
    for (size_t i = verdicts.size(); i-- > 0;)
      if (!verdicts[i].numbers.empty()) return verdicts[i].numbers.back();
    return 0;
  }

  const RunStore& record;
  const RunStore& now;
  std::map<Role, Turns> in_order;
  Turns goal_verdicts;
  std::unordered_map<std::string, int64_t> answered;  // what the questions said, and the answer's number
  std::unordered_map<std::string, int64_t> vectors;   // of these texts
  size_t vector_size = 0;
  std::map<std::string, std::vector<TaskAnswers>> by_task;

  // The task that goes on.
  int64_t iteration = 0;
  std::string task;
  std::optional<TaskAnswers> answers;  // nothing: the record never came to it
  std::map<std::string, size_t> begun;

  Chat curriculum, action, critic;
  Vectors embedder;
};

RecalledModels::RecalledModels(const RunStore& record, const RunStore& now)
    : impl_(std::make_unique<Impl>(record, now)) {}
RecalledModels::~RecalledModels() = default;

Models RecalledModels::models() const { return {&impl_->curriculum, &impl_->action, &impl_->critic, &impl_->embedder}; }

}  // namespace caravel::voyager
