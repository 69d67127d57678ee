#include "chat/call_parser.h"

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

std::unique_ptr<OutputParser> make_hermes_parser(ToolNames tools) {
  return std::make_unique<HermesParser>(std::move(tools));
}

}  // namespace caravel::chat
