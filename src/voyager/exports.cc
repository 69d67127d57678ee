#include "voyager/exports.h"

#include "voyager/row_json.h"

namespace caravel::voyager {
namespace {

Json typed(const char* type, const Json& row) {
  Json json = {{"type", type}};
  json.update(row);
  return json;
}

void write_line(const Sink& write, const Json& json) { write(to_text(json) + "\n"); }

}  // namespace

void write_events(const RunStore& run, const Sink& write) {
  const std::vector<SkillRow> skills = run.skills();
  const std::vector<ItemRow> items = run.items();
  auto skill = skills.begin();
  auto item = items.begin();
  const auto write_skills = [&](int64_t iteration) {
    for (; skill != skills.end() && skill->iteration <= iteration; ++skill)
      write_line(write, typed("skill", to_json(*skill)));
  };
  write_skills(0);
  run.each_iteration([&](const IterationRow& row) {
    for (int round = 1;; ++round) {
      const auto step = run.step(row.number, round);
      if (!step) break;
      write_line(write, typed("step", to_json(*step)));
    }
    for (; item != items.end() && item->iteration <= row.number; ++item)
      write_line(write, typed("item", {{"name", item->name}, {"iteration", item->iteration}, {"tick", item->tick}}));
    write_skills(row.number);
    if (row.has_ended()) write_line(write, typed("iteration", to_json(row)));
  });
}

void write_calls(const RunStore& run, const Sink& write) {
  run.each_call([&](const CallRow& row) {
    Json messages = Json::array();
    for (const Message& message : row.request.messages)
      messages.push_back({{"role", message.role}, {"content", message.content}});
    const ModelAnswer& answer = row.answer;
    write_line(write, {{"number", row.number},
                       {"iteration", row.iteration},
                       {"role", role_name(row.request.role)},
                       {"model", row.model},
                       {"messages", std::move(messages)},
                       {"schema", row.request.schema},
                       {"answer", answer.text},
                       {"reasoning", answer.reasoning},
                       {"is_cut", answer.is_cut},
                       {"goes_round", answer.goes_round},
                       {"prompt_tokens", answer.prompt_tokens},
                       {"completion_tokens", answer.completion_tokens},
                       {"counted", answer.counted},
                       {"cost", answer.cost},
                       {"retries", answer.retries},
                       {"seconds", answer.seconds}});
  });
}

}  // namespace caravel::voyager
