#include "chat/call_parser.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kListMark = "<|tool_call|>";
constexpr std::string_view kPhiEnd = "<|/tool_call|>";
constexpr std::string_view kFunctools = "functools";
constexpr std::string_view kListOpenings[] = {kListMark, "<tool_call>", kFunctools};
constexpr std::string_view kListEnds[] = {kPhiEnd, "</tool_call>"};
constexpr std::string_view kGraniteMarks[] = {kListMark};
constexpr std::string_view kPhiMarks[] = {kListMark, kPhiEnd};

/// A list of {"name": ..., "arguments": {...}}, or one of them, behind a mark:
///   <|tool_call|>[...]                  Granite 3; 3.1 and later also <tool_call>[...]
///   <|tool_call|>[...]<|/tool_call|>    Phi-4-mini; functools[...] by an earlier prompt of its own, and Firefunction
class CallListParser final : public CallParser {
 public:
  using CallParser::CallParser;

 private:
  Match opens(std::string_view text, bool) const override {
    Match best = Match::kNo;
    for (const std::string_view opening : kListOpenings) best = std::max(best, match(text, opening));
    return best;
  }

  void begin(std::string_view) override {
    list_ = false;
    text_.clear();
    state_ = State::kBefore;
  }

  Read read(char byte) override {
    switch (state_) {
      case State::kBefore:
        if (is_json_space(byte)) return Read::kMore;
        if (byte == '[' && !list_) {
          list_ = true;
          return Read::kMore;
        }
        return begin_object(byte);
      case State::kObject: {
        const CallStatus status = object_.feed(byte);
        if (status == CallStatus::kBad) return Read::kNotCalls;
        if (status == CallStatus::kBroken) return broken();
        if (status == CallStatus::kMore) return Read::kMore;
        state_ = list_ ? State::kAfter : State::kClose;
        return status == CallStatus::kEnded ? Read::kAgain : Read::kMore;
      }
      case State::kAfter:
        if (byte == '}') return Read::kOwn;  // one too many
        if (is_json_space(byte) || byte == ',') return Read::kMore;
        if (byte == '{') return begin_object(byte);
        state_ = State::kClose;
        if (byte == ']') return Read::kOwn;
        [[fallthrough]];
      default:
        if (text_.empty() && is_json_space(byte)) return Read::kMore;
        text_ += byte;
        for (const std::string_view end : kListEnds) {
          if (text_ == end) return Read::kDone;
          if (end.starts_with(text_)) return Read::kMore;
        }
        return Read::kNotCalls;
    }
  }

  bool may_end() const override { return state_ == State::kAfter || state_ == State::kClose; }
  std::span<const Ending> endings() const override { return kEndings; }
  std::string_view brackets() const override { return list_ ? "}]" : "}"; }

  static constexpr Ending kEndings[] = {
      {.mark = kPhiEnd}, {.mark = "</tool_call>"}, {.mark = kListMark, .opens = true}};

  Read begin_object(char byte) {
    object_.reset();
    state_ = State::kObject;
    return read(byte);
  }

  enum class State : uint8_t { kBefore, kObject, kAfter, kClose } state_ = State::kBefore;
  bool list_ = false;
  std::string text_;  // what closes the calls
};

constexpr ToolSyntax::Spelling list_between(std::string_view before, std::string_view after) {
  return {.before = before,
          .call = "{\"name\": \"",
          .arguments = "\", \"arguments\": ",
          .end = "}",
          .between = ", ",
          .after = after};
}

std::unique_ptr<OutputParser> make_call_list(const Json& tools) {
  return std::make_unique<CallListParser>(names_of(tools));
}

}  // namespace

const ToolSyntax kGraniteSyntax = {
    .format = ToolFormat::kGranite,
    .name = "granite",
    .is_format_of =
        [](std::string_view chat_template) { return says(chat_template, kListMark) && !says(chat_template, kPhiEnd); },
    .marks = kGraniteMarks,
    .instruction =
        "answer with <|tool_call|> and a JSON list of them: [{\"name\": function name, \"arguments\": dictionary of "
        "argument name and its value}]",
    // In the spelling that is no special token: a grammar's text is spelled by plain ones.
    .forced = list_between("<tool_call>[", "]"),
    .earlier = list_between("<|tool_call|>[", "]"),
    .make_parser = make_call_list,
};

const ToolSyntax kPhiSyntax = {
    .format = ToolFormat::kPhi,
    .name = "phi4",
    .is_format_of =
        [](std::string_view chat_template) {
          return says(chat_template, kPhiEnd) || says(chat_template, "<|/tool|>") || says(chat_template, kFunctools);
        },
    .marks = kPhiMarks,
    .instruction =
        "answer with nothing but a JSON list of them: functools[{\"name\": function name, \"arguments\": dictionary "
        "of argument name and its value}]",
    .forced = list_between("functools[", "]"),
    .earlier = list_between("<|tool_call|>[", "]<|/tool_call|>"),
    .make_parser = make_call_list,
};

}  // namespace caravel::chat
