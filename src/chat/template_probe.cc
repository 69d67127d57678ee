#include "chat/template_probe.h"

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "fields/json.h"

namespace caravel::chat {
namespace {

using Traits = TemplateTraits;
using Missing = Traits::Missing;
using Arguments = Traits::Arguments;
/// A rendering; nothing where the template fails.
using Text = std::optional<std::string>;

// No template has these words, so one that is in a prompt came from the conversation.
constexpr const char* kSystem = "probesystem";
constexpr const char* kLateSystem = "probelater";
constexpr const char* kUser = "probeuser";
constexpr const char* kAnswer = "probeanswer";
constexpr const char* kResult = "proberesult";
constexpr const char* kReasoning = "probereasoning";
constexpr const char* kFirstPart = "probepartone";
constexpr const char* kSecondPart = "probeparttwo";
constexpr const char* kUnknownRole = "proberole";
constexpr const char* kArguments = R"({"probekey": "probevalue"})";
constexpr const char* kCalled = "probe_called";  // no tool's name: tools may be listed in the prompt
constexpr const char* kCalledToo = "probe_more";
constexpr const char* kCallId = "call00001";  // a form that every template takes, Mistral's too
constexpr const char* kSecondCallId = "call00002";

/// A template may run so long before it counts as one that fails.
constexpr text::RenderLimits kLimits = {.steps = 500'000, .text_bytes = 4 << 20};

bool has(const Text& text, std::string_view word) { return text && text->find(word) != std::string::npos; }

/// An assistant's message that calls.
Json calling(Missing missing, Arguments arguments) {
  Json json = {{"role", "assistant"}};
  if (missing == Missing::kEmpty) json["content"] = "";
  if (missing == Missing::kNull) json["content"] = nullptr;
  const Json given = arguments == Arguments::kText ? Json(kArguments) : Json::parse(kArguments);
  json["tool_calls"] =
      Json::array({{{"id", kCallId}, {"type", "function"}, {"function", {{"name", kCalled}, {"arguments", given}}}}});
  return json;
}

Json a_tool() {
  return Json::parse(R"([{"type": "function", "function": {"name": "probe_call", "description": "d",
      "parameters": {"type": "object", "properties": {"probekey": {"type": "string"}}, "required": ["probekey"]}}}])");
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// Both parts are there, and nothing between them shows that a list was printed as it is.
bool shows_parts(const Text& text, std::string_view first_part, std::string_view second_part) {
  if (!text) return false;
  const size_t first = text->find(first_part);
  const size_t second = text->find(second_part);
  return first < second && second != std::string::npos &&
         text->substr(first, second - first).find("type") == std::string::npos;
}

/// Whether a call's arguments come out as they should: as JSON or taken apart, and not as Python writes a dict, nor as
/// a JSON text of a JSON text.
bool shows_arguments(const Text& text, Arguments arguments) {
  const std::string_view spoilt = arguments == Arguments::kText ? R"(\"probekey)" : "'probekey'";
  return has(text, "probevalue") && !has(text, spoilt);
}

/// For templates that write no arguments.
bool shows_name(const Text& text, Arguments) { return has(text, kCalled); }

Json message(std::string_view role, Json content) { return {{"role", role}, {"content", std::move(content)}}; }
Json parts(std::initializer_list<const char*> texts) {
  Json list = Json::array();
  for (const char* text : texts) list.push_back({{"type", "text"}, {"text", text}});
  return list;
}

class Prober {
 public:
  Prober(const text::ChatTemplate& chat_template, std::string_view source, const std::string& bos,
         const std::string& eos)
      : template_(chat_template), source_(source), bos_(bos), eos_(eos) {}

  Traits probe() {
    // A template for tools may fail without any.
    if (!renders()) {
      tools_ = a_tool();
      if (!renders()) return traits_;
    }
    probe_content(1, [&](Json content) { return render({message("user", std::move(content))}); });
    probe_content(0, [&](Json content) { return render({message("system", std::move(content)), user()}); });
    probe_content(2, [&](Json content) { return render({user(), message("assistant", std::move(content)), user()}); });
    probe_calls();
    probe_content(3, [&](Json content) { return render({user(), call_, result("tool", std::move(content))}); });
    probe_missing_alone();
    probe_reasoning();
    // As far as a template does not show what it is given, what it does not show tells nothing.
    if (!has(render({user()}), kUser)) return traits_;
    probe_results();
    probe_system();
    traits_.developer = knows_role("developer", {written("developer", kSystem), user()}, kSystem);
    traits_.function = knows_role("function", {user(), call_, result("function", kResult)}, kResult);
    return traits_;
  }

 private:
  Text render(const std::vector<Json>& messages) const {
    text::ChatInput input;
    input.messages = messages;
    input.bos_token = bos_;
    input.eos_token = eos_;
    input.tools = tools_;
    input.kwargs = kwargs_;
    try {
      return template_.render(input, kLimits);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  bool renders() const { return render({user()}) || render({message("user", parts({kUser}))}); }

  /// A message whose content is a text, in the form that the template takes from that role.
  Json written(std::string_view role, const char* text) const {
    if (traits_.content_of(role) == Traits::Content::kOnlyParts) return message(role, parts({text}));
    return message(role, text);
  }
  Json user() const { return written("user", kUser); }
  static Json result(std::string_view role, Json content) {
    Json json = message(role, std::move(content));
    json["tool_call_id"] = kCallId;
    json["name"] = "probe_call";
    return json;
  }

  template <typename RenderContent>
  void probe_content(size_t role, RenderContent render_content) {
    if (!shows_parts(render_content(parts({kFirstPart, kSecondPart})), kFirstPart, kSecondPart)) return;
    const bool text_is_shown = has(render_content(kFirstPart), kFirstPart);
    traits_.content[role] = text_is_shown ? Traits::Content::kParts : Traits::Content::kOnlyParts;
  }

  void probe_calls() {
    const Json before = std::exchange(tools_, a_tool());
    probe_tools();
    // Some templates take no call without its result, some no result; some fail on tools that they are not told more
    // of.
    bool decided = false;
    for (const auto sign : {shows_arguments, shows_name}) {
      for (const bool with_tools : {true, false}) {
        tools_ = with_tools ? a_tool() : Json(nullptr);
        decided = decided || probe_calls(true, sign) || probe_calls(false, sign);
      }
    }
    // One that reads calls in a way that no probe meets, as one argument by its name, is not told how they are written.
    const bool reads = calls_render_ && source_.find("tool_calls") != std::string_view::npos;
    traits_.shows_calls = decided || calls_change_something_ || reads;
    call_ = traits_.shows_calls ? calling(traits_.missing, traits_.arguments) : written("assistant", kAnswer);
    tools_ = before;
    if (!traits_.shows_calls) return;
    Json said = call_;
    said["content"] = written("assistant", kAnswer)["content"];
    const Text beside_content = render({user(), said, result("tool", kResult)});
    traits_.splits_calls = wants_calls_apart();
    traits_.content_hides_calls = beside_content && !has(beside_content, kCalled) &&
                                  has(render({user(), call_, result("tool", kResult)}), kCalled);
  }

  /// It loses the second of a message's calls, or fails on them (gpt-oss, Llama 3), and writes both of two messages.
  bool wants_calls_apart() const {
    Json second = call_;
    second["tool_calls"][0]["id"] = kSecondCallId;
    second["tool_calls"][0]["function"]["name"] = kCalledToo;
    Json second_result = result("tool", kResult);
    second_result["tool_call_id"] = kSecondCallId;
    Json both = call_;
    both["tool_calls"].push_back(second["tool_calls"][0]);
    return !has(render({user(), both, result("tool", kResult), second_result}), kCalledToo) &&
           has(render({user(), call_, result("tool", kResult), second, second_result}), kCalledToo);
  }

  void probe_tools() {
    const auto is_shown = [](const Text& text) { return has(text, "probe_call"); };
    traits_.shows_tools = is_shown(render({user()}));
    if (traits_.shows_tools) return;
    kwargs_["xml_tools"] = tools_;
    const bool as_xml = is_shown(render({user()}));
    kwargs_ = Json::object();
    Json system = written("system", kSystem);
    system["tools"] = "probe_call";
    const bool in_system = is_shown(render({system, user()}));
    traits_.shows_tools = as_xml || in_system;
    if (traits_.shows_tools) traits_.tools = as_xml ? Traits::Tools::kXmlTools : Traits::Tools::kInSystem;
  }

  /// Whether a form was found in which a call comes out as it should, by the sign.
  bool probe_calls(bool with_result, bool (*sign)(const Text&, Arguments)) {
    const auto rendered = [&](const Json& turn) {
      return with_result ? render({user(), turn, result("tool", kResult)}) : render({user(), turn});
    };
    for (const Arguments arguments : {Arguments::kObject, Arguments::kText}) {
      const auto is_good = [&](const Text& text) { return sign(text, arguments); };
      const Text absent = rendered(calling(Missing::kAbsent, arguments));
      const Text empty = rendered(calling(Missing::kEmpty, arguments));
      const Text null = rendered(calling(Missing::kNull, arguments));
      if (empty && empty != rendered(message("assistant", ""))) calls_change_something_ = true;
      if (absent || empty || null) calls_render_ = true;
      if (!is_good(absent) && !is_good(empty) && !is_good(null)) continue;
      traits_.arguments = arguments;
      traits_.empty_hides_calls = !is_good(empty);
      if (!is_good(absent)) {
        traits_.missing = is_good(empty) ? Missing::kEmpty : Missing::kNull;
      } else if (absent != empty) {  // else the text, on which fewer operations fail
        traits_.missing = Missing::kAbsent;
      }
      const Text as_text = rendered(calling(traits_.missing, Arguments::kText));
      traits_.takes_text_arguments = shows_arguments(as_text, Arguments::kText);
      return true;
    }
    return false;
  }

  void probe_missing_alone() {
    const Json absent_content = {{"role", "assistant"}};
    const Text absent = render({user(), absent_content, user()});
    const Text empty = render({user(), message("assistant", ""), user()});
    if (absent && absent != empty) traits_.missing_alone = Missing::kAbsent;
  }

  void probe_results() {
    const Text text = render({user(), call_, written_result()});
    const bool refuses = !text && render({user(), call_});
    traits_.shows_results = text ? has(text, kResult) : !refuses;
  }
  Json written_result() const { return result("tool", written("tool", kResult)["content"]); }

  void probe_system() {
    const Json system = written("system", kSystem);
    if (!has(render({system, user()}), kSystem)) {
      traits_.system = Traits::System::kInUser;
      return;
    }
    const Text late = render({system, user(), written("assistant", kAnswer), written("system", kLateSystem), user()});
    if (!has(late, kSystem) || !has(late, kLateSystem)) traits_.system = Traits::System::kFirst;
  }

  /// The template has the role's name, and does more with it than to write it where a role's name goes.
  bool knows_role(const std::string& role, std::vector<Json> messages, std::string_view word) const {
    const bool named = source_.find("'" + role + "'") != std::string_view::npos ||
                       source_.find('"' + role + '"') != std::string_view::npos;
    if (!named) return false;
    const Text known = render(messages);
    for (Json& each : messages) {
      if (each["role"] == role) each["role"] = kUnknownRole;
    }
    const Text unknown = render(messages);
    return known && has(known, word) && !(unknown && replaced(*unknown, kUnknownRole, role) == *known);
  }

  void probe_reasoning() {
    const auto is_read = [&](const char* field) {
      Json answer = written("assistant", kAnswer);
      Json call = call_;
      answer[field] = kReasoning;
      call[field] = kReasoning;
      return has(render({user(), answer}), kReasoning) || has(render({user(), answer, user()}), kReasoning) ||
             has(render({user(), call, written_result()}), kReasoning);
    };
    // The rendering itself gives every name of it that transformers gives.
    const bool as_content_field = is_read("reasoning_content");
    if (!as_content_field && is_read("reasoning")) traits_.reasoning = Traits::Reasoning::kField;
    if (as_content_field) {
      const auto fails = [&](bool with_content, bool with_reasoning) {
        Json call = call_;
        if (with_content) call["content"] = written("assistant", kAnswer)["content"];
        if (with_reasoning) call["reasoning_content"] = kReasoning;
        return !render({user(), call, written_result()});
      };
      traits_.joins_content_of_calls =
          traits_.shows_calls && !fails(true, false) && !fails(false, true) && fails(true, true);
    } else if (traits_.reasoning == Traits::Reasoning::kContentField) {
      Json content = parts({kAnswer});
      content.insert(content.begin(), Json{{"type", "thinking"}, {"thinking", kReasoning}});
      const Text text = render({user(), message("assistant", std::move(content)), user()});
      if (shows_parts(text, kReasoning, kAnswer)) traits_.reasoning = Traits::Reasoning::kPart;
    }
  }

  const text::ChatTemplate& template_;
  std::string_view source_;
  const std::string& bos_;
  const std::string& eos_;
  Json tools_ = nullptr;
  Json kwargs_ = Json::object();
  Json call_;  // an assistant's message that calls, in the form that was found
  bool calls_change_something_ = false;
  bool calls_render_ = false;
  Traits traits_;
};

}  // namespace

TemplateTraits probe_template(const text::ChatTemplate& chat_template, std::string_view source, const std::string& bos,
                              const std::string& eos) {
  return Prober(chat_template, source, bos, eos).probe();
}

}  // namespace caravel::chat
