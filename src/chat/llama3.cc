#include "chat/call_parser.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kPythonTag = "<|python_tag|>";
constexpr std::string_view kLlamaMarks[] = {kPythonTag};

/// {"name": ..., "parameters": {...}} at the start of the answer, or anywhere after <|python_tag|>; more calls may
/// follow behind semicolons, commas, white space or another tag. Built-in tools' `<|python_tag|>name.call(...)` is
/// content: no request can declare them.
class Llama3Parser final : public CallParser {
 public:
  using CallParser::CallParser;

 private:
  Match opens(std::string_view text, bool at_start) const override {
    return at_start && text == "{" ? Match::kWhole : match(text, kPythonTag);
  }

  void begin(std::string_view opening) override {
    tag_ = 0;
    object_.reset();
    in_object_ = opening == "{";
    if (in_object_) object_.feed('{');
    separators_ = "";
  }

  Read read(char byte) override {
    if (!in_object_) {
      if (tag_ > 0 || (byte == kPythonTag[0] && !separators_.empty())) {
        if (byte != kPythonTag[tag_]) return Read::kNotCalls;
        tag_ = (tag_ + 1) % kPythonTag.size();
        return Read::kMore;
      }
      if (is_json_space(byte) || separators_.find(byte) != std::string_view::npos) return Read::kMore;
      object_.reset();
    }
    const CallStatus status = object_.feed(byte);
    if (status == CallStatus::kBad) return Read::kNotCalls;
    if (status == CallStatus::kBroken) return broken();
    in_object_ = status == CallStatus::kMore;
    if (!in_object_) separators_ = ";,}";  // or a brace too many
    return status == CallStatus::kEnded ? Read::kAgain : Read::kMore;
  }

  bool may_end() const override { return !in_object_; }
  std::span<const Ending> endings() const override { return kEndings; }

  static constexpr Ending kEndings[] = {{.mark = kPythonTag, .opens = true}};

  bool in_object_ = false;
  size_t tag_ = 0;               // bytes of a further <|python_tag|>
  std::string_view separators_;  // between calls; none before the first
};

}  // namespace

const ToolSyntax kLlama3Syntax = {
    .format = ToolFormat::kLlama3,
    .name = "llama3",
    .is_format_of =
        [](std::string_view chat_template) {
          return says(chat_template, "<|start_header_id|>") && says(chat_template, "\"parameters\"");
        },
    .marks = kLlamaMarks,
    .instruction =
        "answer with nothing but {\"name\": function name, \"parameters\": dictionary of argument name and "
        "its value}",
    .forced = {.before = "",
               .call = "{\"name\": \"",
               .arguments = "\", \"parameters\": ",
               .end = "}",
               .between = "; ",
               .after = ""},
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<Llama3Parser>(names_of(tools));
    },
};

}  // namespace caravel::chat
