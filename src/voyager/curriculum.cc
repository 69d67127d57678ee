#include "voyager/curriculum.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "voyager/draws.h"
#include "voyager/prompt_texts.h"
#include "voyager/schemas.h"

namespace caravel::voyager {
namespace {

constexpr std::string_view kFirstTask = "Mine 1 wood log";
constexpr std::string_view kDeposit = "Deposit useless items into the chest at ";
constexpr int kSlotsLeft = 3;  // of the inventory: below, it is full
constexpr size_t kMostQuestions = 5;
constexpr size_t kMostSubGoals = 10;

}  // namespace

bool is_housekeeping(std::string_view task) { return task.starts_with(kDeposit); }

Fillings Curriculum::standing(const Room& room, const Situation& situation) const {
  const ShownParts shown = warm_up(std::ssize(situation.history.completed()), config_.seed, situation.iteration);
  return {{"observation", observation_text(situation.now, shown)},
          {"completed", tasks_text(situation.history.completed(), room.of<size_t>(100, 40, 15, 6))},
          {"failed", tasks_text(situation.history.failed(), room.of<size_t>(30, 15, 6, 3))},
          {"rules", room.of<std::string>(world_.rules, world_.rules, world_.rules, "")}};
}

std::string Curriculum::answer(const std::string& question, int64_t iteration, bool similar_is_same,
                               std::vector<QuestionRow>& answered) const {
  if (const QuestionRow* known = questions_.find(question)) return known->answer;
  std::vector<float> vector;
  if (similar_is_same) {
    vector = asker_.calls().embed(question);
    if (const QuestionRow* known = questions_.find(vector)) return known->answer;
  }
  const ModelAnswer told = asker_.ask(Role::kAnswer, [&](const Room& room) {
    return Fillings{{"question", question},
                    {"rules", room.of<std::string>(world_.rules, world_.rules, world_.rules, "")}};
  });
  QuestionRow row{question, one_line(told.text, 1000), std::move(vector), iteration};
  questions_.add(row);
  answered.push_back(row);
  return row.answer;
}

std::string Curriculum::ask(const Situation& situation, std::vector<QuestionRow>& answered) const {
  if (std::ssize(situation.history.completed()) < kQuestionsFrom) return {};
  const auto questions = asker_.ask_until_read(
      Role::kQuestions,
      [&](const Room& room) {
        Fillings fillings = standing(room, situation);
        fillings.erase("rules");
        return fillings;
      },
      kQuestionsSchema, [](const ModelAnswer& told) { return read_list(told.text, "questions", kMostQuestions); });
  if (std::holds_alternative<Unreadable>(questions)) return {};
  std::string notes = "What is known of it:";
  for (const std::string& question : std::get<std::vector<std::string>>(questions))
    notes += fmt::format("\n- {} {}", question, answer(question, situation.iteration, true, answered));
  return notes;
}

std::optional<ProposedTask> Curriculum::by_rule(const Situation& situation) const {
  const std::string& last = situation.history.last_task();
  if (situation.history.completed().empty() && last != kFirstTask)
    return ProposedTask{std::string(kFirstTask), "It is the first task: all tools begin with wood."};
  const Observation& now = situation.now;
  if (now.slots - now.slots_used <= kSlotsLeft) {
    const std::string reason = fmt::format("{} of the inventory's {} slots are used: what is not needed is put away.",
                                           now.slots_used, now.slots);
    std::string task = "Craft 1 chest";
    if (!now.chests.empty()) {
      task = std::string(kDeposit) + now.chests.begin()->first;
    } else if (now.inventory.contains("chest")) {
      task = "Place 1 chest";
    }
    if (task != last) return ProposedTask{task, reason};
  }
  if (auto task = situation.history.due())
    return ProposedTask{*task, "It failed before, and other tasks were done since."};
  return std::nullopt;
}

ProposedTask Curriculum::fallback(const Situation& situation, const std::string& why) const {
  const std::string reason =
      fmt::format("By rule, since {} answers in a row could not be used: {}.", Asker::kMostTries, why);
  const auto is_new = [&](const std::string& task) {
    return task != situation.history.last_task() && !situation.history.is_completed(task);
  };
  for (const std::string& block : situation.now.nearby_blocks)
    if (const std::string task = "Mine 1 " + block; is_new(task)) return {task, reason};
  for (const std::string& item : world_.all_items)
    if (const std::string task = "Obtain 1 " + item; is_new(task) && !situation.now.inventory.contains(item))
      return {task, reason};
  return {std::string(kFirstTask), reason};
}

ProposedTask Curriculum::propose(const Situation& situation, const std::string& notes) const {
  if (auto task = by_rule(situation)) return *std::move(task);
  const auto told = asker_.ask_until_read(
      Role::kPropose,
      [&](const Room& room) {
        Fillings fillings = standing(room, situation);
        fillings["notes"] = shortened(notes, room.of<size_t>(8000, 3000, 800, 0));
        return fillings;
      },
      kProposeSchema,
      [&](const ModelAnswer& answer) -> Readable<Proposal> {
        auto proposal = read_proposal(answer.text);
        const auto* read = std::get_if<Proposal>(&proposal);
        const std::vector<std::string> failed = situation.history.failed();
        if (read != nullptr && !failed.empty() && read->task == failed.back() &&
            read->task == situation.history.last_task())
          return Unreadable{fmt::format("\"{}\" has just failed: set another task", read->task)};
        return proposal;
      });
  if (const auto* unreadable = std::get_if<Unreadable>(&told)) return fallback(situation, unreadable->why);
  const Proposal& proposal = std::get<Proposal>(told);
  return {proposal.task, proposal.reasoning};
}

std::string Curriculum::study(const std::string& task, int64_t iteration, std::vector<QuestionRow>& answered) const {
  // Of tasks that differ in one item a vector tells little.
  return answer(fmt::format("How is this done: {}?", task), iteration, false, answered);
}

std::optional<ProposedTask> Curriculum::draw_item(int64_t iteration, const std::vector<ItemRow>& had) const {
  std::set<std::string> known;
  for (const ItemRow& item : had) known.insert(item.name);
  std::vector<std::string> left;
  for (const std::string& item : world_.all_items)
    if (!known.contains(item)) left.push_back(item);
  if (left.empty()) return std::nullopt;
  const double place = draw(config_.seed, Draw::kItem, static_cast<uint64_t>(iteration));
  return ProposedTask{"Obtain 1 " + left[static_cast<size_t>(place * static_cast<double>(left.size()))],
                      fmt::format("It was drawn from the {} items that were not had yet.", left.size())};
}

Readable<std::vector<std::string>> Curriculum::decompose(const std::string& goal, const Situation& situation) const {
  return asker_.ask_until_read(
      Role::kDecompose,
      [&](const Room& room) {
        Fillings fillings = standing(room, situation);
        fillings["observation"] = observation_text(situation.now);
        fillings["goal"] = goal;
        return fillings;
      },
      kDecomposeSchema, [](const ModelAnswer& told) { return read_list(told.text, "tasks", kMostSubGoals); });
}

}  // namespace caravel::voyager
