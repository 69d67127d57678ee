#include "voyager/action.h"

#include <algorithm>

#include "base/error.h"
#include "voyager/prompt_texts.h"

namespace caravel::voyager {
namespace {

constexpr size_t kMostBlocks = 8;  // of code in one answer

bool is_other_language(const std::string& language) {
  constexpr std::string_view kOthers[] = {"json", "yaml", "text", "txt", "bash", "sh", "console", "output"};
  return std::ranges::find(kOthers, language) != std::end(kOthers);
}

std::string fenced(const std::string& code, const std::string& fence) {
  return "```" + fence + "\n" + code + (code.ends_with('\n') ? "```" : "\n```");
}

}  // namespace

std::vector<const SkillRow*> Action::skills_for(const CodeWish& wish) const {
  if (!config_.skill_library || library_.size() == 0 || config_.skills_shown <= 0) return {};
  std::string query = wish.task + "\n" + wish.context;
  if (wish.last != nullptr && config_.feedback) query += "\n" + events_text(wish.last->events, 10);
  return library_.nearest(asker_.calls().embed(shortened(query, 4000)), config_.skills_shown);
}

std::string Action::primitives_text(const Room& room) const {
  std::string text;
  for (const Primitive& primitive : world_.description().primitives) {
    const std::string brief = primitive.signature + ": " + primitive.help + "\n";
    const std::string full = primitive.source.empty() ? brief : primitive.source + "\n";
    text += room.of(full, brief, brief, primitive.signature + "\n");
  }
  return text;
}

std::string Action::skills_text(const Room& room, const std::vector<const SkillRow*>& skills) const {
  std::string text;
  for (const SkillRow* skill : skills) {
    const std::string brief = skill->name + "(bot): " + one_line(skill->description, 300) + "\n";
    const std::string full = brief + skill->code + "\n";
    text += room.of(full, full, brief, brief);
  }
  return text.empty() ? "none" : text;
}

std::variant<WrittenCode, CodeError> Action::parse(const std::string& code) const {
  auto parsed = world_.parse(code);
  if (auto* error = std::get_if<CodeError>(&parsed)) return std::move(*error);
  ParsedCode& seen = std::get<ParsedCode>(parsed);
  if (seen.main.empty())
    return CodeError{.message = "none of the functions takes `bot` alone: the last one must, and does the task"};
  const WorldDescription& world = world_.description();
  for (const Primitive& primitive : world.primitives)
    if (world.has_function(primitive.name) && std::ranges::find(seen.functions, primitive.name) != seen.functions.end())
      return CodeError{.message = primitive.name + " is there already: call it, and give your function another name"};
  return WrittenCode{code, std::move(seen)};
}

std::variant<WrittenCode, CodeError> Action::read(const ModelAnswer& answer, std::string& refused) const {
  std::vector<CodeBlock> blocks = read_code_blocks(answer.text);
  std::erase_if(blocks, [](const CodeBlock& block) { return is_other_language(block.language); });
  if (blocks.size() > kMostBlocks) blocks.erase(blocks.begin(), blocks.end() - kMostBlocks);
  const std::string cut = answer.goes_round
                              ? "; the answer was cut since it went round in circles: write each thing once"
                          : answer.is_cut ? "; the answer was cut by its limit of tokens: write less beside the code"
                                          : "";
  if (blocks.empty()) {
    // Some models write nothing but code.
    refused = answer.text.substr(0, 20000);
    auto bare = parse(refused);
    if (std::holds_alternative<WrittenCode>(bare)) return bare;
    refused.clear();
    return CodeError{.message = fmt::format("the answer has no block of code that begins with ```{}{}",
                                            world_.description().fence, cut)};
  }
  // Helpers may stand in blocks of their own; or a later block is the earlier one, mended.
  std::string all;
  for (const CodeBlock& block : blocks) all += block.code;
  auto code = parse(refused = all);
  for (size_t i = blocks.size(); blocks.size() > 1 && i-- > 0 && std::holds_alternative<CodeError>(code);)
    if (auto alone = parse(blocks[i].code); i + 1 == blocks.size() || std::holds_alternative<WrittenCode>(alone)) {
      refused = blocks[i].code;
      code = std::move(alone);
    }
  if (auto* error = std::get_if<CodeError>(&code)) error->message += cut;
  return code;
}

std::variant<WrittenCode, CodeError> Action::write(const CodeWish& wish, const std::vector<const SkillRow*>& skills,
                                                   std::string& refused) const {
  const WorldDescription& world = world_.description();
  const StepRow* last = wish.last;
  const bool feedback = config_.feedback && last != nullptr;
  const std::string rules = world.rules + "\n" + world.code_rules;
  const ModelAnswer answer = asker_.ask(Role::kAction, [&](const Room& room) {
    const std::string code =
        last == nullptr || last->code.empty()
            ? "none"
            : "\n" + fenced(shortened(last->code, room.of<size_t>(20000, 4000, 1500, 800)), world.fence);
    return Fillings{
        {"language", world.language},
        {"fence", world.fence},
        {"rules", room.of(rules, rules, rules, world.code_rules)},
        {"primitives", primitives_text(room)},
        {"skills", skills_text(room, skills)},
        {"code", code},
        {"error",
         feedback ? shortened(error_text(last->error, last->code), room.of<size_t>(4000, 1500, 600, 300)) : "none"},
        {"chat", feedback ? events_text(last->events, room.of<size_t>(100, 30, 10, 4)) : "nothing"},
        {"observation", observation_text(wish.now)},
        {"task", wish.task},
        {"context",
         wish.context.empty() ? "nothing is known" : shortened(wish.context, room.of<size_t>(4000, 1500, 500, 0))},
        {"critique", last == nullptr || last->critique.empty() ? "none" : last->critique}};
  });
  return read(answer, refused);
}

std::string Action::describe(const std::string& main, const std::string& code, const std::string& task) const {
  const WorldDescription& world = world_.description();
  const ModelAnswer answer = asker_.ask(Role::kDescribe, [&](const Room& room) {
    return Fillings{{"language", world.language},
                    {"main", main},
                    {"task", task},
                    {"code", fenced(shortened(code, room.of<size_t>(20000, 8000, 3000, 1500)), world.fence)}};
  });
  const std::string description = one_line(answer.text, 1000);
  return description.empty() ? "It does this: " + task : description;
}

}  // namespace caravel::voyager
