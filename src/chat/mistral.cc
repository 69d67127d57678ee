#include "chat/call_parser.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kToolCalls = "[TOOL_CALLS]";
constexpr std::string_view kArgs = "[ARGS]";
constexpr std::string_view kCallIdMark = "[CALL_ID]";
constexpr std::string_view kMistralMarks[] = {kToolCalls, kArgs, kCallIdMark};
constexpr size_t kMaxSpace = 64;  // bytes between a list's bracket and its first call

/// What Mistral's tokenizers write after [TOOL_CALLS]:
///   [{"name": ..., "arguments": {...}, "id": ...}, ...]   v0.3, Nemo; also a single object, and the list alone at the
///                                                         start of an answer, where the special token was not shown
///   name[ARGS]{...}, name[CALL_ID]id[ARGS]{...}, name{...}   Small 3.x, Devstral: one mark for each call
class MistralParser final : public CallParser {
 public:
  using CallParser::CallParser;

 private:
  Match opens(std::string_view text, bool at_start) const override {
    const Match marked = match(text, kToolCalls);
    if (marked != Match::kNo || !at_start || text[0] != '[') return marked;
    const size_t next = text.find_first_not_of(" \n\t\r", 1);
    if (next == std::string_view::npos) return text.size() < kMaxSpace ? Match::kPartly : Match::kNo;
    return text[next] == '{' ? Match::kWhole : Match::kNo;
  }

  void begin(std::string_view opening) override {
    text_.clear();
    name_.clear();
    list_ = opening != kToolCalls;
    state_ = State::kBefore;
    if (list_) read('{');
  }

  Read read(char byte) override {
    switch (state_) {
      case State::kBefore:
        return before(byte);
      case State::kObject: {
        const CallStatus status = object_.feed(byte);
        if (status == CallStatus::kBad) return Read::kNotCalls;
        if (status == CallStatus::kBroken) return broken();
        if (status == CallStatus::kMore) return Read::kMore;
        if (!list_) return status == CallStatus::kDone ? Read::kDone : Read::kNotCalls;
        state_ = State::kAfter;
        return status == CallStatus::kEnded ? Read::kAgain : Read::kMore;
      }
      case State::kAfter:
        if (is_json_space(byte) || byte == '}') return Read::kMore;  // a brace too many
        if (byte == ']') return Read::kDone;
        if (byte != ',') return Read::kNotCalls;
        state_ = State::kNext;
        return Read::kMore;
      case State::kNext:
        return is_json_space(byte) ? Read::kMore : begin_object(byte);
      case State::kArguments: {
        mended_.clear();
        const JsonMender::Status status = mender_.feed(byte, mended_);
        if (status == JsonMender::Status::kBad) return broken();
        out_.arguments(mended_);
        if (status == JsonMender::Status::kMore) return Read::kMore;
        out_.end_call();
        return Read::kDone;
      }
      default:
        return named(byte);
    }
  }

  bool may_end() const override { return state_ == State::kAfter || state_ == State::kNext; }
  std::span<const Ending> endings() const override { return kEndings; }
  std::string_view brackets() const override { return list_ ? "}]" : state_ == State::kObject ? "}" : ""; }
  const JsonMender* arguments() const override {
    return state_ == State::kArguments ? &mender_ : CallParser::arguments();
  }

  static constexpr Ending kEndings[] = {{.mark = kToolCalls, .opens = true}};

  Read before(char byte) {
    if (is_json_space(byte)) return Read::kMore;
    if (byte == '[' && !list_) {
      list_ = true;
      return Read::kMore;
    }
    if (list_ || byte == '{') return begin_object(byte);
    state_ = State::kName;
    return named(byte);
  }

  Read begin_object(char byte) {
    object_.reset();
    state_ = State::kObject;
    return read(byte);
  }

  /// name, [CALL_ID], id, [ARGS]
  Read named(char byte) {
    switch (state_) {
      case State::kName:
        if (is_tool_name_byte(byte)) {
          name_ += byte;
          return Read::kMore;
        }
        if (!tools_.contains(name_)) return Read::kNotCalls;
        return byte == '[' ? to_mark(byte) : begin_arguments(byte);
      case State::kMark:
        text_ += byte;
        if (text_ == kArgs) {
          state_ = State::kBeforeArguments;
        } else if (text_ == kCallIdMark) {
          state_ = State::kId;
        } else if (!kArgs.starts_with(text_) && !kCallIdMark.starts_with(text_)) {
          return Read::kNotCalls;
        }
        return Read::kMore;
      case State::kId:
        if (is_tool_name_byte(byte)) return Read::kMore;
        return byte == '[' ? to_mark(byte) : Read::kNotCalls;
      default:
        return begin_arguments(byte);
    }
  }

  Read to_mark(char byte) {
    text_ = byte;
    state_ = State::kMark;
    return Read::kMore;
  }

  Read begin_arguments(char byte) {
    if (is_json_space(byte)) {
      state_ = State::kBeforeArguments;
      return Read::kMore;
    }
    if (byte != '{') return Read::kNotCalls;
    out_.begin_call(name_);
    mender_.reset();
    state_ = State::kArguments;
    return read(byte);
  }

  enum class State : uint8_t {
    kBefore,
    kObject,
    kAfter,
    kNext,
    kName,
    kMark,
    kId,
    kBeforeArguments,
    kArguments
  } state_ = State::kBefore;
  bool list_ = false;
  std::string name_;
  std::string text_;  // the mark behind the name
  JsonMender mender_;
  std::string mended_;  // what a byte of the arguments gave
};

}  // namespace

const ToolSyntax kMistralSyntax = {
    .format = ToolFormat::kMistral,
    .name = "mistral",
    .is_format_of = [](std::string_view chat_template) { return says(chat_template, kToolCalls); },
    .marks = kMistralMarks,
    .ends_reasoning = kToolCalls,
    .instruction =
        "answer with nothing but a list of them: [{\"name\": function name, \"arguments\": dictionary of "
        "argument name and its value}]",
    // Without [TOOL_CALLS]: a grammar's text is spelled by plain tokens, and the model knows that one as a special.
    .forced = {.before = "[",
               .call = "{\"name\": \"",
               .arguments = "\", \"arguments\": ",
               .end = "}",
               .between = ", ",
               .after = "]"},
    .id_length = 9,
    .make_parser = [](const Json& tools) -> std::unique_ptr<OutputParser> {
      return std::make_unique<MistralParser>(names_of(tools));
    },
};

}  // namespace caravel::chat
