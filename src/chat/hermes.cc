#include "chat/call_parser.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kOpen = "<tool_call>";
constexpr std::string_view kEnd = "</tool_call>";

/// <tool_call>{"name": ..., "arguments": {...}}</tool_call>, once for each call.
class HermesParser final : public CallParser {
 public:
  using CallParser::CallParser;

 private:
  Match opens(std::string_view text, bool) const override { return match(text, kOpen); }

  void begin(std::string_view) override {
    object_.reset();
    state_ = State::kBefore;
    closed_ = 0;
  }

  Read read(char byte) override {
    if (state_ != State::kObject && closed_ == 0 && is_json_space(byte)) return Read::kMore;
    if (state_ == State::kClose) {
      if (byte != kEnd[closed_]) return Read::kNotCalls;
      return ++closed_ == kEnd.size() ? Read::kDone : Read::kMore;
    }
    const CallStatus status = object_.feed(byte);
    if (status == CallStatus::kBad) return Read::kNotCalls;
    state_ = status == CallStatus::kDone ? State::kClose : State::kObject;
    return Read::kMore;
  }

  bool may_end() const override { return state_ == State::kClose; }

  enum class State : uint8_t { kBefore, kObject, kClose } state_ = State::kBefore;
  size_t closed_ = 0;  // bytes of the closing mark
};

}  // namespace

const ToolSyntax kHermesSyntax = {
    .format = ToolFormat::kHermes,
    .name = "hermes",
    .is_format_of =
        [](std::string_view chat_template) {
          // The key may stand within a string of Jinja.
          return says(chat_template, kOpen) &&
                 (says(chat_template, "\"arguments\"") || says(chat_template, "\\\"arguments\\\""));
        },
    .marks_are_special = false,
    .instruction =
        "answer with a JSON object between tags, one for each call: <tool_call>\n"
        "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>",
    .forced = {.before = "",
               .call = "<tool_call>\n{\"name\": \"",
               .arguments = "\", \"arguments\": ",
               .end = "}\n</tool_call>",
               .between = "\n",
               .after = ""},
    .make_parser = [](ToolNames tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<HermesParser>(std::move(tools));
    },
};

}  // namespace caravel::chat
