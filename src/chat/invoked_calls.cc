#include <array>

#include "chat/call_parser.h"
#include "chat/tagged_call.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

/// How a format spells calls that each are named in a tag of their own, within tags around all.
struct InvokeTags {
  std::string_view open;    // before the calls
  std::string_view invoke;  // opens one: up to the name, which ends at >
  CallTags call;            // whose outer_end closes the calls
};

constexpr InvokeTags kMiniMaxTags = {.open = "<minimax:tool_call>",
                                     .invoke = "<invoke name=",
                                     .call = {.key = "<parameter name=",
                                              .key_end = ">",
                                              .value = "",
                                              .value_end = "</parameter>",
                                              .end = "</invoke>",
                                              .outer_end = "</minimax:tool_call>",
                                              .next = "<invoke name="}};
constexpr InvokeTags kQwenTags = {.open = "<tool_call>",
                                  .invoke = "<function=",
                                  .call = {.key = "<parameter=",
                                           .key_end = ">",
                                           .value = "",
                                           .value_end = "</parameter>",
                                           .end = "</function>",
                                           .outer_end = "</tool_call>",
                                           .next = "<function=",
                                           .own_lines = true}};
constexpr std::string_view kMiniMaxMarks[] = {kMiniMaxTags.open, kMiniMaxTags.call.outer_end};
constexpr std::string_view kQwenMarks[] = {kQwenTags.open, kQwenTags.call.outer_end};

/// <minimax:tool_call>
/// <invoke name="name">
/// <parameter name="key">value</parameter>
/// </invoke>
/// </minimax:tool_call>, with an invoke for each call: MiniMax-M2. And Qwen3-Coder's
/// <tool_call>
/// <function=name>
/// <parameter=key>
/// value
/// </parameter>
/// </function>
/// </tool_call>. The outer tags may be missing.
class InvokedCallParser final : public CallParser {
 public:
  InvokedCallParser(const InvokeTags& tags, const Json& tools)
      : CallParser(names_of(tools)),
        tags_(tags),
        endings_{Ending{.mark = tags.call.end, .more_follow = true}, Ending{.mark = tags.call.outer_end},
                 Ending{.mark = tags.invoke, .opens = true}},
        list_(tools),
        call_(tags.call, list_, out_) {}

 private:
  Match opens(std::string_view text, bool) const override {
    return std::max(match(text, tags_.open), match(text, tags_.invoke));
  }

  void begin(std::string_view opening) override {
    text_.clear();
    state_ = opening == tags_.invoke ? State::kName : State::kBetween;
  }

  Read read(char byte) override {
    switch (state_) {
      case State::kBetween:
        if (text_.empty() && is_json_space(byte)) return Read::kMore;
        text_ += byte;
        if (text_ == tags_.call.outer_end) return Read::kDone;
        if (text_ == tags_.invoke) {
          text_.clear();
          state_ = State::kName;
          return Read::kMore;
        }
        return tags_.call.outer_end.starts_with(text_) || tags_.invoke.starts_with(text_) ? Read::kMore
                                                                                          : Read::kNotCalls;
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
  std::span<const Ending> endings() const override { return endings_; }
  std::string_view brackets() const override { return ""; }
  const JsonMender* arguments() const override { return state_ == State::kArguments ? call_.object() : nullptr; }
  std::string held() const override { return state_ == State::kArguments ? call_.held() : std::string(); }

  enum class State : uint8_t { kBetween, kName, kArguments } state_ = State::kBetween;
  const InvokeTags& tags_;
  const std::array<Ending, 3> endings_;
  const Json list_;
  TaggedCall call_;
  std::string text_;  // a tag between calls, or the name
};

}  // namespace

const ToolSyntax kMiniMaxSyntax = {
    .format = ToolFormat::kMiniMax,
    .name = "minimax",
    .is_format_of = [](std::string_view chat_template) { return says(chat_template, kMiniMaxTags.open); },
    .marks = kMiniMaxMarks,
    .ends_reasoning = kMiniMaxTags.open,
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
      return std::make_unique<InvokedCallParser>(kMiniMaxTags, tools);
    },
};

const ToolSyntax kQwenSyntax = {
    .format = ToolFormat::kQwen,
    .name = "qwen3_coder",
    .is_format_of =
        [](std::string_view chat_template) {
          return says(chat_template, kQwenTags.open) && says(chat_template, kQwenTags.invoke) &&
                 says(chat_template, kQwenTags.call.key);
        },
    .marks = kQwenMarks,
    .instruction =
        "answer with one block for each call: <tool_call>\n<function=function name>\n<parameter=argument name>\nits "
        "value\n</parameter>\n</function>\n</tool_call>",
    .forced = {.before = "",
               .call = "<tool_call>\n<function=",
               .arguments = ">\n",
               .end = "\n</function>\n</tool_call>",
               .between = "\n",
               .after = ""},
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<InvokedCallParser>(kQwenTags, tools);
    },
};

}  // namespace caravel::chat
