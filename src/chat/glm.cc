#include "chat/call_parser.h"
#include "chat/tagged_call.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kGlmOpen = "<tool_call>";
constexpr std::string_view kGlmEnd = "</tool_call>";
constexpr std::string_view kGlmKey = "<arg_key>";
constexpr std::string_view kGlmMarks[] = {kGlmOpen, kGlmEnd, kGlmKey, "</arg_key>", "<arg_value>", "</arg_value>"};
constexpr CallTags kGlmTags = {.key = kGlmKey,
                               .key_end = "</arg_key>",
                               .value = "<arg_value>",
                               .value_end = "</arg_value>",
                               .end = kGlmEnd,
                               .outer_end = "",
                               .next = kGlmOpen};

/// <tool_call>name
/// <arg_key>key</arg_key>
/// <arg_value>value</arg_value>
/// </tool_call>, once for each call: GLM-4.5 and 4.6; 4.7 without the line breaks. Also GLM-4's {...} behind the name,
/// and Hermes's object between the tags, to which the models change over in long conversations.
class GlmParser final : public CallParser {
 public:
  explicit GlmParser(const Json& tools) : CallParser(names_of(tools)), list_(tools), call_(kGlmTags, list_, out_) {}

 private:
  Match opens(std::string_view text, bool) const override { return match(text, kGlmOpen); }

  void begin(std::string_view) override {
    text_.clear();
    object_.reset();
    state_ = State::kName;
  }

  Read read(char byte) override {
    switch (state_) {
      case State::kName:
        if (text_.empty() && is_json_space(byte)) return Read::kMore;
        if (text_.empty() && byte == '{') {
          object_.reset();
          state_ = State::kObject;
          return read(byte);
        }
        if (is_tool_name_byte(byte)) {
          text_ += byte;
          return Read::kMore;
        }
        if (!tools_.contains(text_)) return Read::kNotCalls;
        call_.begin(text_);
        state_ = State::kArguments;
        break;
      case State::kObject: {
        const CallStatus status = object_.feed(byte);
        if (status == CallStatus::kBad) return Read::kNotCalls;
        if (status == CallStatus::kBroken) return broken();
        if (status == CallStatus::kMore) return Read::kMore;
        text_.clear();
        state_ = State::kClose;
        return status == CallStatus::kEnded ? Read::kAgain : Read::kMore;
      }
      case State::kClose:
        if (text_.empty() && (is_json_space(byte) || byte == '}')) return Read::kMore;  // a brace too many
        text_ += byte;
        if (text_ == kGlmEnd) return Read::kDone;
        return kGlmEnd.starts_with(text_) ? Read::kMore : Read::kNotCalls;
      default:
        break;
    }
    const CallStatus status = call_.feed(byte);
    if (status == CallStatus::kBad) return Read::kNotCalls;
    if (status == CallStatus::kBroken) return broken();
    if (status == CallStatus::kMore) return Read::kMore;
    return call_.ended_by() == TaggedCall::End::kNextCall ? Read::kNext : Read::kDone;
  }

  bool may_end() const override { return state_ == State::kClose; }
  std::span<const Ending> endings() const override { return kEndings; }
  std::string_view brackets() const override { return state_ == State::kObject ? "}" : ""; }
  const JsonMender* arguments() const override {
    return state_ == State::kArguments ? call_.object() : CallParser::arguments();
  }
  std::string held() const override { return state_ == State::kArguments ? call_.held() : CallParser::held(); }

  static constexpr Ending kEndings[] = {{.mark = kGlmEnd}, {.mark = kGlmOpen, .opens = true}};

  enum class State : uint8_t { kName, kArguments, kObject, kClose } state_ = State::kName;
  const Json list_;
  TaggedCall call_;
  std::string text_;  // the name, or what closes an object
};

}  // namespace

const ToolSyntax kGlmSyntax = {
    .format = ToolFormat::kGlm,
    .name = "glm",
    .is_format_of = [](std::string_view chat_template) { return says(chat_template, kGlmKey); },
    .marks = kGlmMarks,
    .instruction =
        "answer with one block for each call: <tool_call>function name\n<arg_key>argument name</arg_key>\n"
        "<arg_value>its value</arg_value>\n</tool_call>",
    .forced =
        {.before = "", .call = "<tool_call>", .arguments = "\n", .end = "\n</tool_call>", .between = "\n", .after = ""},
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<GlmParser>(tools);
    },
};

}  // namespace caravel::chat
