#include "text/chat_template.h"

#include <array>
#include <utility>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/json_value.h"
#include "text/jinja/parser.h"

namespace caravel::text {
namespace {

using jinja::Value;
using nlohmann::ordered_json;

// A message's reasoning has had several names; `transformers` fills in the one that templates read, and the one that
// gpt-oss reads.
constexpr std::array<const char*, 3> kReasoningNames = {"reasoning_content", "thinking", "reasoning"};

ordered_json with_reasoning(const ordered_json& message) {
  const ordered_json* reasoning = nullptr;
  for (const char* name : kReasoningNames) {
    const auto place = message.find(name);
    if (reasoning == nullptr && place != message.end() && !place->is_null()) reasoning = &*place;
  }
  if (reasoning == nullptr) return message;
  ordered_json out = ordered_json::object();
  out["thinking"] = *reasoning;
  for (const auto& [key, value] : message.items()) out[key] = value;
  out["reasoning_content"] = *reasoning;
  return out;
}

Value objects(const char* what, const ordered_json& list) {
  if (!list.is_array()) throw fail<InvalidArgument>("{} must be a list, not {}", what, list.type_name());
  for (const ordered_json& item : list) {
    if (!item.is_object()) throw fail<InvalidArgument>("each of {} must be an object, not {}", what, item.type_name());
  }
  return jinja::from_json(list);
}

Value messages_of(const ordered_json& messages) {
  if (!messages.is_array()) throw fail<InvalidArgument>("messages must be a list, not {}", messages.type_name());
  ordered_json out = ordered_json::array();
  for (const ordered_json& message : messages) {
    if (!message.is_object())
      throw fail<InvalidArgument>("each of messages must be an object, not {}", message.type_name());
    out.push_back(with_reasoning(message));
  }
  return jinja::from_json(out);
}

}  // namespace

struct ChatTemplate::Impl {
  jinja::Body body;
};

ChatTemplate::ChatTemplate(std::string_view source) : impl_(std::make_unique<const Impl>(Impl{jinja::parse(source)})) {}
ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

std::string ChatTemplate::render(const ChatInput& input, const RenderLimits& limits) const {
  jinja::Interpreter interpreter(jinja::Budget(limits.steps, limits.text_bytes), input.now);
  if (!input.bos_token.empty()) interpreter.set("bos_token", Value(input.bos_token));
  if (!input.eos_token.empty()) interpreter.set("eos_token", Value(input.eos_token));
  interpreter.set("messages", messages_of(input.messages));
  interpreter.set("tools", input.tools.is_null() ? Value(jinja::None{}) : objects("tools", input.tools));
  interpreter.set("documents",
                  input.documents.is_null() ? Value(jinja::None{}) : objects("documents", input.documents));
  interpreter.set("add_generation_prompt", Value(input.add_generation_prompt));
  if (!input.kwargs.is_object() && !input.kwargs.is_null()) {
    throw fail<InvalidArgument>("chat_template_kwargs must be an object, not {}", input.kwargs.type_name());
  }
  for (const auto& [name, value] : input.kwargs.items()) interpreter.set(name, jinja::from_json(value));
  try {
    return interpreter.render(impl_->body);
  } catch (const InvalidArgument& error) {
    throw fail<InvalidArgument>("chat template, line {}: {}", interpreter.line(), error.what());
  } catch (const CapacityError& error) {
    throw fail<CapacityError>("chat template, line {}: {}", interpreter.line(), error.what());
  }
}

}  // namespace caravel::text
