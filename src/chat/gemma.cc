#include "chat/call_parser.h"
#include "chat/python_call.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::string_view kFences[] = {"```tool_code", "```json"};

/// Gemma 3 was trained on no one format: its template has no place for tools, and Google's guide to function calling
/// asks for either of two in the prompt. Both are read, anywhere in a block fenced as ```tool_code or ```json, and bare
/// at the start of an answer:
///   {"name": ..., "parameters": {...}}, several of them behind each other or in a list
///   [name(key=value, ...), ...]; in a block also without the brackets, one call a line
class GemmaParser final : public CallParser {
 public:
  using CallParser::CallParser;

 private:
  Match opens(std::string_view text, bool at_start) const override {
    if (at_start && (text == "{" || text == "[")) return Match::kWhole;
    Match best = Match::kNo;
    for (const std::string_view fence : kFences) best = std::max(best, match(text, fence));
    return best;
  }

  void begin(std::string_view opening) override {
    fenced_ = opening.size() > 1;
    list_ = false;
    closed_ = 0;
    state_ = State::kBefore;
    if (!fenced_) read(opening[0]);
  }

  Read read(char byte) override {
    switch (state_) {
      case State::kBefore:
        if (byte == '[' && !list_) {
          list_ = true;
          return Read::kMore;
        }
        return is_json_space(byte) ? Read::kMore : begin_call(byte);
      case State::kObject:
        return after(object_.feed(byte));
      case State::kPython:
        return after(python_.feed(byte));
      case State::kBetween:
        if (is_json_space(byte) || byte == ',' || byte == ';' || byte == '}') return Read::kMore;
        if (list_ && byte == ']') {
          state_ = State::kClose;
          return fenced_ ? Read::kMore : Read::kDone;
        }
        if (byte != kFence[0] || list_) return begin_call(byte);
        state_ = State::kClose;
        [[fallthrough]];
      default:
        if (is_json_space(byte) && closed_ == 0) return Read::kMore;
        if (!fenced_ || byte != kFence[closed_]) return Read::kNotCalls;
        return ++closed_ == kFence.size() ? Read::kDone : Read::kMore;
    }
  }

  bool may_end() const override { return state_ == State::kBetween || state_ == State::kClose; }
  std::span<const Ending> endings() const override { return {kEndings, fenced_ ? 1U : 0U}; }
  std::string_view brackets() const override { return list_ ? "}]" : "}"; }

  static constexpr Ending kEndings[] = {{.mark = kFence, .opens = false}};

  Read begin_call(char byte) {
    if (byte == '{') {
      object_.reset();
      state_ = State::kObject;
    } else if (PythonCall::begins_name(byte) && (fenced_ || list_)) {
      python_.reset();
      state_ = State::kPython;
    } else {
      return Read::kNotCalls;
    }
    return read(byte);
  }

  Read after(CallStatus status) {
    if (status == CallStatus::kBad) return Read::kNotCalls;
    if (status == CallStatus::kBroken) return broken();
    if (status != CallStatus::kMore) state_ = State::kBetween;
    return status == CallStatus::kEnded ? Read::kAgain : Read::kMore;
  }

  enum class State : uint8_t { kBefore, kObject, kPython, kBetween, kClose } state_ = State::kBefore;
  bool fenced_ = false;
  bool list_ = false;
  size_t closed_ = 0;  // bytes of the closing fence
  PythonCall python_{tools_, out_};
};

}  // namespace

const ToolSyntax kGemmaSyntax = {
    .format = ToolFormat::kGemma,
    .name = "gemma",
    .is_format_of = [](std::string_view chat_template) { return says(chat_template, "<start_of_turn>"); },
    .marks = {},
    .instruction =
        "answer with nothing but a block for them: ```json\n{\"name\": function name, \"parameters\": "
        "dictionary of argument name and its value}\n```",
    .forced = {.before = "```json\n",
               .call = "{\"name\": \"",
               .arguments = "\", \"parameters\": ",
               .end = "}",
               .between = "\n",
               .after = "\n```"},
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<GemmaParser>(names_of(tools));
    },
};

}  // namespace caravel::chat
