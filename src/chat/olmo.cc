#include "chat/call_parser.h"
#include "chat/python_call.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kOlmoOpen = "<function_calls>";
constexpr std::string_view kOlmoEnd = "</function_calls>";
constexpr std::string_view kOlmoMarks[] = {kOlmoOpen, kOlmoEnd};

/// <function_calls>name(key=value, ...)
/// name(...)</function_calls>, one call a line; values as in Python or JSON (True or true, None or null).
class OlmoParser final : public CallParser {
 public:
  using CallParser::CallParser;

 private:
  Match opens(std::string_view text, bool) const override { return match(text, kOlmoOpen); }

  void begin(std::string_view) override {
    text_.clear();
    in_call_ = false;
  }

  Read read(char byte) override {
    if (in_call_) {
      const CallStatus status = python_.feed(byte);
      if (status == CallStatus::kBad) return Read::kNotCalls;
      in_call_ = status == CallStatus::kMore;
      return Read::kMore;
    }
    if (text_.empty()) {
      if (is_json_space(byte) || byte == ',' || byte == ';') return Read::kMore;
      if (PythonCall::begins_name(byte)) {
        python_.reset();
        in_call_ = true;
        return read(byte);
      }
    }
    text_ += byte;
    if (text_ == kOlmoEnd) return Read::kDone;
    return kOlmoEnd.starts_with(text_) ? Read::kMore : Read::kNotCalls;
  }

  bool may_end() const override { return !in_call_; }
  std::span<const Ending> endings() const override { return {}; }

  PythonCall python_{tools_, out_};
  bool in_call_ = false;
  std::string text_;  // what closes the calls
};

}  // namespace

const ToolSyntax kOlmoSyntax = {
    .format = ToolFormat::kOlmo,
    .name = "olmo3",
    .is_format_of = [](std::string_view chat_template) { return says(chat_template, kOlmoOpen); },
    .marks = kOlmoMarks,
    .instruction =
        "answer with the calls between tags, one a line: <function_calls>function_name(argument=\"text\", "
        "other=1)</function_calls>",
    .forced = {.before = "<function_calls>",
               .call = "",
               .arguments = "(**",
               .end = ")",
               .between = "\n",
               .after = "</function_calls>"},
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<OlmoParser>(names_of(tools));
    },
};

}  // namespace caravel::chat
