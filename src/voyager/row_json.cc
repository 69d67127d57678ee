#include "voyager/row_json.h"

#include <array>
#include <utility>

#include "base/error.h"

namespace caravel::voyager {
namespace {

constexpr std::array<std::pair<Event::Kind, std::string_view>, 4> kEventKinds = {{{Event::Kind::kChat, "chat"},
                                                                                  {Event::Kind::kItem, "item"},
                                                                                  {Event::Kind::kHurt, "hurt"},
                                                                                  {Event::Kind::kDeath, "death"}}};

template <typename Row, typename Read>
Row checked(const Read& read) {
  try {
    return read();
  } catch (const Json::exception& error) {
    throw fail<FormatError>("a row of the record cannot be read ({}): another version of Caravel wrote it",
                            error.what());
  }
}

Json or_null(const std::optional<bool>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<bool> optional_bool(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<bool>());
}

}  // namespace

Json to_json(const Event& event) {
  return {{"kind", kEventKinds[static_cast<size_t>(event.kind)].second}, {"tick", event.tick}, {"text", event.text}};
}

Event event_from(const Json& json) {
  return checked<Event>([&] {
    const auto kind = json.at("kind").get<std::string>();
    for (const auto& [known, name] : kEventKinds)
      if (name == kind) return Event{known, json.at("tick").get<int64_t>(), json.at("text").get<std::string>()};
    throw fail<FormatError>("an event of the record is of kind '{}', which is unknown", kind);
  });
}

Json to_json(const CodeError& error) {
  return {{"message", error.message},
          {"where", error.where},
          {"line", error.line},
          {"trace", error.trace},
          {"killed", error.killed}};
}

CodeError code_error_from(const Json& json) {
  return checked<CodeError>([&] {
    return CodeError{json.at("message").get<std::string>(), json.at("where").get<std::string>(),
                     json.at("line").get<int>(), json.at("trace").get<std::string>(), json.at("killed").get<bool>()};
  });
}

Json to_json(const StepRow& row) {
  Json events = Json::array();
  for (const Event& event : row.events) events.push_back(to_json(event));
  return {{"iteration", row.iteration},
          {"round", row.round},
          {"code", row.code},
          {"main", row.main},
          {"skills_shown", row.skills_shown},
          {"skills_used", row.skills_used},
          {"events", std::move(events)},
          {"error", row.error ? to_json(*row.error) : Json(nullptr)},
          {"before", to_json(row.before)},
          {"after", to_json(row.after)},
          {"judged", or_null(row.judged)},
          {"critique", row.critique},
          {"checked", or_null(row.checked)}};
}

StepRow step_from(const Json& json) {
  return checked<StepRow>([&] {
    StepRow row;
    row.iteration = json.at("iteration").get<int64_t>();
    row.round = json.at("round").get<int>();
    row.code = json.at("code").get<std::string>();
    row.main = json.at("main").get<std::string>();
    row.skills_shown = json.at("skills_shown").get<std::vector<std::string>>();
    row.skills_used = json.at("skills_used").get<std::vector<std::string>>();
    for (const Json& event : json.at("events")) row.events.push_back(event_from(event));
    if (!json.at("error").is_null()) row.error = code_error_from(json.at("error"));
    row.before = observation_from(json.at("before"));
    row.after = observation_from(json.at("after"));
    row.judged = optional_bool(json.at("judged"));
    row.critique = json.at("critique").get<std::string>();
    row.checked = optional_bool(json.at("checked"));
    return row;
  });
}

Json to_json(const IterationRow& row) {
  return {
      {"number", row.number},   {"task", row.task},     {"context", row.context}, {"reason", row.reason},
      {"success", row.success}, {"rounds", row.rounds}, {"skill", row.skill},     {"skill_version", row.skill_version}};
}

IterationRow iteration_from(const Json& json) {
  return checked<IterationRow>([&] {
    IterationRow row;
    row.number = json.at("number").get<int64_t>();
    row.task = json.at("task").get<std::string>();
    row.context = json.at("context").get<std::string>();
    row.reason = json.at("reason").get<std::string>();
    row.success = json.at("success").get<bool>();
    row.rounds = json.at("rounds").get<int>();
    row.skill = json.at("skill").get<std::string>();
    row.skill_version = json.at("skill_version").get<int>();
    return row;
  });
}

Json to_json(const SkillRow& row) {
  return {{"name", row.name}, {"version", row.version},    {"code", row.code}, {"description", row.description},
          {"uses", row.uses}, {"iteration", row.iteration}};
}

SkillRow skill_from(const Json& json) {
  return checked<SkillRow>([&] {
    SkillRow row;
    row.name = json.at("name").get<std::string>();
    row.version = json.at("version").get<int>();
    row.code = json.at("code").get<std::string>();
    row.description = json.at("description").get<std::string>();
    row.uses = json.at("uses").get<std::vector<std::string>>();
    row.iteration = json.at("iteration").get<int64_t>();
    return row;
  });
}

}  // namespace caravel::voyager
