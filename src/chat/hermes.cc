#include "chat/call_parser.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kOpen = "<tool_call>";
constexpr std::string_view kEnd = "</tool_call>";
constexpr std::string_view kHermesMarks[] = {kOpen, kEnd};

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
      if (byte == '}' && closed_ == 0) return Read::kMore;  // one too many
      if (byte != kEnd[closed_]) return Read::kNotCalls;
      return ++closed_ == kEnd.size() ? Read::kDone : Read::kMore;
    }
    const CallStatus status = object_.feed(byte);
    if (status == CallStatus::kBad) return Read::kNotCalls;
    if (status == CallStatus::kBroken) return broken();
    state_ = status == CallStatus::kMore ? State::kObject : State::kClose;
    return status == CallStatus::kEnded ? Read::kAgain : Read::kMore;
  }

  bool may_end() const override { return state_ == State::kClose; }
  std::span<const Ending> endings() const override { return kEndings; }

  static constexpr Ending kEndings[] = {{.mark = kEnd, .opens = false}, {.mark = kOpen, .opens = true}};

  enum class State : uint8_t { kBefore, kObject, kClose } state_ = State::kBefore;
  size_t closed_ = 0;  // bytes of the closing mark
};

std::unique_ptr<OutputParser> make_hermes(const Json& tools) { return std::make_unique<HermesParser>(names_of(tools)); }

constexpr std::string_view kInstruction =
    "answer with a JSON object between tags, one for each call: <tool_call>\n"
    "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>";

constexpr ToolSyntax::Spelling kSpelling = {.before = "",
                                            .call = "<tool_call>\n{\"name\": \"",
                                            .arguments = "\", \"arguments\": ",
                                            .end = "}\n</tool_call>",
                                            .between = "\n",
                                            .after = ""};

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
    .marks = kHermesMarks,
    .instruction = kInstruction,
    .forced = kSpelling,
    .make_parser = make_hermes,
};

const ToolSyntax kGeneralSyntax = {
    .format = ToolFormat::kGeneral,
    .name = "general",
    .is_format_of = [](std::string_view) { return false; },
    .marks = kHermesMarks,
    .instruction = kInstruction,
    .forced = kSpelling,
    .make_parser = make_hermes,
};

}  // namespace caravel::chat
