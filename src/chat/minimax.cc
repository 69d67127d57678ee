#include "chat/call_parser.h"
#include "chat/tagged_call.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kMiniMaxOpen = "<minimax:tool_call>";
constexpr std::string_view kMiniMaxEnd = "</minimax:tool_call>";
constexpr std::string_view kInvoke = "<invoke name=";
constexpr std::string_view kInvokeEnd = "</invoke>";
constexpr std::string_view kMiniMaxMarks[] = {kMiniMaxOpen, kMiniMaxEnd};
constexpr CallTags kMiniMaxTags = {.key = "<parameter name=",
                                   .key_end = ">",
                                   .value = "",
                                   .value_end = "</parameter>",
                                   .end = kInvokeEnd,
                                   .outer_end = kMiniMaxEnd,
                                   .next = kInvoke};

/// <minimax:tool_call>
/// <invoke name="name">
/// <parameter name="key">value</parameter>
/// </invoke>
/// </minimax:tool_call>, with an invoke for each call: MiniMax-M2. The outer tags may be missing.
class MiniMaxParser final : public CallParser {
 public:
  explicit MiniMaxParser(const Json& tools)
      : CallParser(names_of(tools)), list_(tools), call_(kMiniMaxTags, list_, out_) {}

 private:
  Match opens(std::string_view text, bool) const override {
    return std::max(match(text, kMiniMaxOpen), match(text, kInvoke));
  }

  void begin(std::string_view opening) override {
    text_.clear();
    state_ = opening == kInvoke ? State::kName : State::kBetween;
  }

  Read read(char byte) override {
    switch (state_) {
      case State::kBetween:
        if (text_.empty() && is_json_space(byte)) return Read::kMore;
        text_ += byte;
        if (text_ == kMiniMaxEnd) return Read::kDone;
        if (text_ == kInvoke) {
          text_.clear();
          state_ = State::kName;
          return Read::kMore;
        }
        return kMiniMaxEnd.starts_with(text_) || kInvoke.starts_with(text_) ? Read::kMore : Read::kNotCalls;
      case State::kName:
        if (byte != '>') {
          if (byte != '"' && byte != '\'') text_ += byte;
          return byte == '\n' ? Read::kNotCalls : Read::kMore;
        }
        if (!tools_.contains(text_)) return Read::kNotCalls;
        call_.begin(text_);
        state_ = State::kArguments;
        return Read::kMore;
      default:
        break;
    }
    const CallStatus status = call_.feed(byte);
    if (status == CallStatus::kBad) return Read::kNotCalls;
    if (status == CallStatus::kBroken) return broken();
    if (status == CallStatus::kMore) return Read::kMore;
    if (call_.ended_by() == TaggedCall::End::kNextCall) return Read::kNext;
    if (call_.ended_by() == TaggedCall::End::kAllCalls) return Read::kDone;
    go_on();
    return Read::kMore;
  }

  void go_on() override {
    text_.clear();
    state_ = State::kBetween;
  }

  bool may_end() const override { return state_ == State::kBetween; }
  std::span<const Ending> endings() const override { return kEndings; }
  std::string_view brackets() const override { return ""; }
  const JsonMender* arguments() const override { return state_ == State::kArguments ? call_.object() : nullptr; }
  std::string held() const override { return state_ == State::kArguments ? call_.held() : std::string(); }

  static constexpr Ending kEndings[] = {
      {.mark = kInvokeEnd, .more_follow = true}, {.mark = kMiniMaxEnd}, {.mark = kInvoke, .opens = true}};

  enum class State : uint8_t { kBetween, kName, kArguments } state_ = State::kBetween;
  const Json list_;
  TaggedCall call_;
  std::string text_;  // a tag between calls, or the name
};

}  // namespace

const ToolSyntax kMiniMaxSyntax = {
    .format = ToolFormat::kMiniMax,
    .name = "minimax",
    .is_format_of = [](std::string_view chat_template) { return says(chat_template, kMiniMaxOpen); },
    .marks = kMiniMaxMarks,
    .ends_reasoning = kMiniMaxOpen,
    .instruction =
        "answer with a block for all: <minimax:tool_call>\n<invoke name=\"function name\">\n<parameter "
        "name=\"argument name\">its value</parameter>\n</invoke>\n</minimax:tool_call>",
    // Without the outer tags: a grammar's text is spelled by plain tokens, and the model knows those as specials.
    .forced = {.before = "",
               .call = "<invoke name=\"",
               .arguments = "\">\n",
               .end = "\n</invoke>",
               .between = "\n",
               .after = ""},
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<MiniMaxParser>(tools);
    },
};

}  // namespace caravel::chat
