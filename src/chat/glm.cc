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
/// </tool_call>, once for each call: GLM-4.5 and 4.6; 4.7 without the line breaks. Also GLM-4's {...} behind the name.
class GlmParser final : public CallParser {
 public:
  explicit GlmParser(const Json& tools) : CallParser(names_of(tools)), list_(tools), call_(kGlmTags, list_, out_) {}

 private:
  Match opens(std::string_view text, bool) const override { return match(text, kGlmOpen); }

  void begin(std::string_view) override {
    name_.clear();
    in_name_ = true;
  }

  Read read(char byte) override {
    if (in_name_) {
      if (name_.empty() && is_json_space(byte)) return Read::kMore;
      if (is_tool_name_byte(byte)) {
        name_ += byte;
        return Read::kMore;
      }
      if (!tools_.contains(name_)) return Read::kNotCalls;
      call_.begin(name_);
      in_name_ = false;
    }
    const CallStatus status = call_.feed(byte);
    if (status == CallStatus::kBad) return Read::kNotCalls;
    if (status == CallStatus::kBroken) return broken();
    if (status == CallStatus::kMore) return Read::kMore;
    return call_.ended_by() == TaggedCall::End::kNextCall ? Read::kNext : Read::kDone;
  }

  bool may_end() const override { return false; }
  std::span<const Ending> endings() const override { return kEndings; }
  std::string_view brackets() const override { return ""; }
  const JsonMender* arguments() const override { return in_name_ ? nullptr : call_.object(); }
  std::string held() const override { return in_name_ ? std::string() : call_.held(); }

  static constexpr Ending kEndings[] = {{.mark = kGlmEnd}, {.mark = kGlmOpen, .opens = true}};

  const Json list_;
  TaggedCall call_;
  std::string name_;
  bool in_name_ = true;
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
