#include "chat/call_parser.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kCallsBegin = "<｜tool▁calls▁begin｜>";
constexpr std::string_view kCallsEnd = "<｜tool▁calls▁end｜>";
constexpr std::string_view kCallBegin = "<｜tool▁call▁begin｜>";
constexpr std::string_view kCallEnd = "<｜tool▁call▁end｜>";
constexpr std::string_view kSeparator = "<｜tool▁sep｜>";
constexpr std::string_view kDeepSeekMarks[] = {kCallsBegin, kCallsEnd, kCallBegin, kCallEnd, kSeparator};
constexpr std::string_view kJsonFence = "```json";
constexpr std::string_view kFenceEnd = "```";
constexpr size_t kMaxHead = 256;  // bytes before a separator

/// <｜tool▁calls▁begin｜>, then for each call
///   <｜tool▁call▁begin｜>function<｜tool▁sep｜>name
///   ```json
///   {...}
///   ```<｜tool▁call▁end｜>                                      V3, R1
///   <｜tool▁call▁begin｜>name<｜tool▁sep｜>{...}<｜tool▁call▁end｜>   V3.1
/// and <｜tool▁calls▁end｜>. Which one it is, is told by what stands behind the separator.
class DeepSeekParser final : public CallParser {
 public:
  using CallParser::CallParser;

 private:
  Match opens(std::string_view text, bool) const override {
    return std::max(match(text, kCallsBegin), match(text, kCallBegin));
  }

  void begin(std::string_view opening) override {
    go_on();
    if (opening == kCallBegin) state_ = State::kHead;
  }

  Read read(char byte) override {
    switch (state_) {
      case State::kBetween:
        return between(byte);
      case State::kHead:
        text_ += byte;
        if (text_.ends_with(kSeparator)) {
          name_ = trimmed(std::string_view(text_).substr(0, text_.size() - kSeparator.size()));
          text_.clear();
          state_ = State::kBehind;
        }
        return text_.size() < kMaxHead ? Read::kMore : Read::kNotCalls;
      case State::kBehind:
        if (is_json_space(byte)) return Read::kMore;
        if (byte == '{') return begin_arguments(byte);
        state_ = byte == '`' ? State::kFence : State::kName;
        return read(byte);
      case State::kName:
        if (!is_json_space(byte) && byte != '`' && byte != '{') {
          text_ += byte;
          return Read::kMore;
        }
        name_ = std::exchange(text_, {});
        state_ = State::kFence;
        [[fallthrough]];
      case State::kFence:
        if (byte == '{') return begin_arguments(byte);
        if (is_json_space(byte)) return Read::kMore;
        text_ += byte;
        return kJsonFence.starts_with(text_) ? Read::kMore : Read::kNotCalls;
      default: {
        mended_.clear();
        const JsonMender::Status status = mender_.feed(byte, mended_);
        if (status == JsonMender::Status::kBad) return broken();
        out_.arguments(mended_);
        if (status == JsonMender::Status::kMore) return Read::kMore;
        out_.end_call();
        go_on();
        is_fenced_ = true;
        return Read::kMore;
      }
    }
  }

  /// Behind a call's arguments, what closes it; what opens the next call, or closes all.
  Read between(char byte) {
    if (text_.empty() && (is_json_space(byte) || (is_fenced_ && (byte == '`' || byte == '}')))) return Read::kMore;
    text_ += byte;
    if (text_ == kCallsEnd) return Read::kDone;
    if (text_ == kCallEnd) {
      go_on();
    } else if (text_ == kCallBegin) {
      go_on();
      state_ = State::kHead;
    } else if (!kCallsEnd.starts_with(text_) && !kCallEnd.starts_with(text_) && !kCallBegin.starts_with(text_)) {
      return Read::kNotCalls;
    }
    return Read::kMore;
  }

  Read begin_arguments(char byte) {
    if (!tools_.contains(name_)) return Read::kNotCalls;
    out_.begin_call(name_);
    mender_.reset();
    state_ = State::kArguments;
    return read(byte);
  }

  static std::string trimmed(std::string_view text) {
    const size_t first = std::min(text.find_first_not_of(" \n\t\r"), text.size());
    return std::string(text.substr(first, text.find_last_not_of(" \n\t\r") + 1 - first));
  }

  void go_on() override {
    text_.clear();
    is_fenced_ = false;
    state_ = State::kBetween;
  }

  bool may_end() const override { return state_ == State::kBetween; }
  std::span<const Ending> endings() const override { return kEndings; }
  std::string_view brackets() const override { return ""; }
  const JsonMender* arguments() const override { return state_ == State::kArguments ? &mender_ : nullptr; }

  // The fence that closes goes with what follows it.
  static constexpr std::string_view kFencedEnd = "```<｜tool▁call▁end｜>";
  static constexpr Ending kEndings[] = {{.mark = kFencedEnd, .more_follow = true},
                                        {.mark = kCallEnd, .more_follow = true},
                                        {.mark = kCallsEnd},
                                        {.mark = kCallBegin, .opens = true}};

  enum class State : uint8_t { kBetween, kHead, kBehind, kName, kFence, kArguments } state_ = State::kBetween;
  bool is_fenced_ = false;  // directly behind arguments
  std::string name_;
  std::string text_;  // a mark, the head or the name
  JsonMender mender_;
  std::string mended_;  // what a byte of the arguments gave
};

}  // namespace

const ToolSyntax kDeepSeekSyntax = {
    .format = ToolFormat::kDeepSeek,
    .name = "deepseek",
    .is_format_of = [](std::string_view chat_template) { return says(chat_template, kCallBegin); },
    .marks = kDeepSeekMarks,
    .ends_reasoning = kCallsBegin,
    .instruction =
        "answer with a block for all: <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function name<｜tool▁sep｜>JSON "
        "object of "
        "arguments<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    .forced = {.before = "<｜tool▁calls▁begin｜>",
               .call = "<｜tool▁call▁begin｜>",
               .arguments = "<｜tool▁sep｜>",
               .end = "<｜tool▁call▁end｜>",
               .between = "",
               .after = "<｜tool▁calls▁end｜>"},
    // As R1's template writes them, which hides them beside a content.
    .earlier = {.before = "<｜tool▁calls▁begin｜>",
                .call = "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
                .arguments = "\n```json\n",
                .end = "\n```<｜tool▁call▁end｜>",
                .between = "\n",
                .after = "<｜tool▁calls▁end｜>"},
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<DeepSeekParser>(names_of(tools));
    },
};

}  // namespace caravel::chat
