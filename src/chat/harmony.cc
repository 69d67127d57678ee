#include "chat/harmony.h"

#include <array>
#include <utility>

#include "chat/call_object.h"
#include "chat/tool_syntax.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kStart = "<|start|>";
constexpr std::string_view kChannel = "<|channel|>";
constexpr std::string_view kConstrain = "<|constrain|>";
constexpr std::string_view kMessage = "<|message|>";
constexpr std::string_view kHarmonyCall = "<|call|>";
constexpr std::array<std::string_view, 7> kHarmonyMarks = {kStart,       kChannel,  kConstrain,  kMessage,
                                                           kHarmonyCall, "<|end|>", "<|return|>"};
constexpr std::string_view kRole = "assistant";
constexpr std::string_view kRecipient = "to=";
constexpr std::string_view kFunctions = "functions.";
constexpr std::string_view kParagraphBreak = "\n\n";

bool ends_message(std::string_view mark) { return mark == kHarmonyCall || mark == "<|end|>" || mark == "<|return|>"; }

/// The word at `at`: up to white space or a mark.
std::string_view word_at(std::string_view text, size_t at) {
  return text.substr(at, std::min(text.find_first_of(" \n\t\r<", at), text.size()) - at);
}

/// Behind the last `mark` of a header; npos where it has none.
size_t behind_last(std::string_view header, std::string_view mark) {
  const size_t at = header.rfind(mark);
  return at == std::string_view::npos ? at : at + mark.size();
}

/// Messages, one behind the other:
///   <|start|>assistant<|channel|>analysis<|message|>...<|end|>           reasoning
///   ...<|channel|>commentary<|message|>...<|end|>                        content: what is said before a call
///   ...<|channel|>commentary to=functions.name <|constrain|>json<|message|>{...}<|call|>
///   ...<|channel|>final<|message|>...<|return|>                          content
/// The answer begins behind <|start|>assistant. The recipient stands behind the role or the channel, whichever channel
/// that is. Models leave things out: a body without a header is content, and so is one without a channel; the body of a
/// channel that is none of these is reasoning, which nobody takes for the answer. A mark ends what came before it
/// wherever it stands, since a vocabulary has it as a token that texts do not hold.
class HarmonyParser final : public OutputParser {
 public:
  explicit HarmonyParser(ToolNames tools) : tools_(std::move(tools)) {}

  std::vector<Piece> feed(std::string_view text) override {
    for (const char byte : text) take(byte);
    return out_.take();
  }

  std::vector<Piece> finish() override {
    for (const char byte : std::exchange(mark_, {})) text_byte(byte);
    const bool is_blank = header_.find_first_not_of(" \n\t\r") == std::string::npos;
    if (state_ == State::kOutside && !(is_blank && has_begun_)) out_.content(std::exchange(header_, {}));
    end_message(/*is_cut=*/true);
    return out_.take();
  }

 private:
  enum class State : uint8_t {
    kOutside,  // before a message: text here is a header that lacks its beginning, or content
    kHeader,
    kBody,
  };
  enum class Body : uint8_t {
    kContent,
    kReasoning,
    kBeforeCall,  // of a call, up to the brace of its arguments
    kCall,
    kBroken,     // arguments that cannot be read
    kAfterCall,  // behind the arguments
  };

  void take(char byte) {
    mark_ += byte;
    while (!mark_.empty()) {
      bool may_become_one = false;
      for (const std::string_view mark : kHarmonyMarks) {
        if (mark_ == mark) {
          mark_.clear();
          return at_mark(mark);
        }
        may_become_one |= mark.starts_with(mark_);
      }
      if (may_become_one) return;
      const char first = mark_[0];
      mark_.erase(0, 1);
      text_byte(first);
    }
  }

  void at_mark(std::string_view mark) {
    if (state_ == State::kBody) {
      end_message(/*is_cut=*/false);
      if (is_raw_ && ends_message(mark)) out_.content(mark);
      is_raw_ = false;
    }
    has_begun_ = true;
    if (mark == kMessage) {
      header_ += mark;
      begin_body();
    } else if (mark == kStart) {
      header_ = mark;
      state_ = State::kHeader;
    } else if (mark == kChannel || mark == kConstrain) {
      header_ += mark;
      state_ = State::kHeader;
    } else {
      header_.clear();  // of a message without a body
      state_ = State::kOutside;
    }
  }

  void text_byte(char byte) {
    if (state_ == State::kBody) return body_byte(byte);
    if (header_.empty()) blank_ = 0;
    if (blank_ == header_.size() && is_json_space(byte)) ++blank_;
    header_ += byte;
    if (state_ == State::kHeader || blank_ == header_.size()) return;
    // Outside, what may become "assistant" or " to=" waits.
    const std::string_view text = std::string_view(header_).substr(blank_);
    const bool is_header = kRole.starts_with(text) || kRecipient.starts_with(text) || text.starts_with(kRecipient) ||
                           text.starts_with("assistant to=") || std::string_view("assistant to=").starts_with(text);
    if (is_header) return;
    begin_content();
    state_ = State::kBody;
  }

  void begin_body() {
    state_ = State::kBody;
    const size_t to = behind_last(header_, kRecipient);
    std::string_view recipient = to == std::string::npos ? "" : word_at(header_, to);
    if (recipient.starts_with(kFunctions)) recipient.remove_prefix(kFunctions.size());
    const size_t channel_at = behind_last(header_, kChannel);
    const std::string_view channel = channel_at == std::string::npos ? "final" : word_at(header_, channel_at);
    name_ = recipient;
    if (tools_.contains(name_)) {
      body_ = Body::kBeforeCall;
      return;
    }
    const bool is_content = channel.starts_with("final") || channel.starts_with("commentary");
    // A call of what is no tool is content as it was written.
    is_raw_ = is_content && !recipient.empty() && recipient != kRole && recipient != "user";
    if (!is_raw_) header_.clear();
    if (is_content) return begin_content();
    body_ = Body::kReasoning;
    if (has_reasoning_) out_.reasoning(kParagraphBreak);
    has_reasoning_ = true;
  }

  /// Of a message, or of what its header turned out to be. Messages of one kind become one text.
  void begin_content() {
    body_ = Body::kContent;
    if (has_content_) out_.content(kParagraphBreak);
    out_.content(std::exchange(header_, {}));
    has_content_ = has_begun_ = true;
  }

  void body_byte(char byte) {
    const std::string_view text(&byte, 1);
    switch (body_) {
      case Body::kContent:
        return out_.content(text);
      case Body::kReasoning:
        return out_.reasoning(text);
      case Body::kBeforeCall:
        if (byte == '{') return begin_call();
        header_ += byte;
        is_raw_ = !is_json_space(byte);
        if (is_raw_) begin_content();
        return;
      case Body::kCall:
        return call_byte(byte);
      case Body::kBroken:
        space_ += byte;
        if (!is_json_space(byte)) out_.arguments(std::exchange(space_, {}));
        return;
      case Body::kAfterCall:
        if (is_json_space(byte) || byte == '}') return;  // a brace too many
        header_ = byte;
        return begin_content();
    }
  }

  void begin_call() {
    out_.begin_call(name_);
    header_.clear();
    mender_.reset();
    body_ = Body::kCall;
    call_byte('{');
  }

  void call_byte(char byte) {
    std::string mended;
    const JsonMender::Status status = mender_.feed(byte, mended);
    if (status == JsonMender::Status::kBad) {
      out_.arguments(mender_.held());
      space_.clear();
      body_ = Body::kBroken;
      return body_byte(byte);
    }
    out_.arguments(mended);
    if (status != JsonMender::Status::kDone) return;
    out_.end_call();
    body_ = Body::kAfterCall;
  }

  /// is_cut: the answer ends here, so that what is missing is not known.
  void end_message(bool is_cut) {
    if (state_ == State::kBody && body_ == Body::kCall) {
      JsonMender behind = mender_;
      std::string rest;
      behind.feed(kHarmonyCall[0], rest);  // a number ends where its mark begins
      const std::string closing = behind.closing();
      out_.arguments(is_cut || closing.empty() ? mender_.held() : rest + closing);
    }
    if (state_ == State::kBody && body_ == Body::kBeforeCall) {
      is_raw_ = true;
      begin_content();
    }
    out_.end_call();
    header_.clear();
    state_ = State::kOutside;
  }

  const ToolNames tools_;
  Pieces out_;
  State state_ = State::kOutside;
  Body body_ = Body::kContent;
  std::string mark_;    // may become a mark
  std::string header_;  // of the message, as it was written
  size_t blank_ = 0;    // bytes of white space that it begins with
  std::string name_;    // of the tool that is called
  JsonMender mender_;
  std::string space_;       // at the end of what came of broken arguments
  bool is_raw_ = false;     // the message is content as it was written, marks and all
  bool has_begun_ = false;  // something has come
  bool has_content_ = false;
  bool has_reasoning_ = false;
};

}  // namespace

bool has_channels(std::string_view chat_template) {
  return says(chat_template, kChannel) && says(chat_template, kMessage);
}

std::unique_ptr<OutputParser> make_harmony_parser(const Json& tools) {
  return std::make_unique<HarmonyParser>(names_of(tools));
}

const ToolSyntax kHarmonySyntax = {
    .format = ToolFormat::kHarmony,
    .name = "harmony",
    .is_format_of = has_channels,
    .marks = kHarmonyMarks,
    .instruction =
        "answer with a message to it: <|channel|>commentary to=functions.function_name <|constrain|>json<|message|>"
        "JSON object of arguments<|call|>",
    .forced = {.before = "",
               .call = " to=functions.",
               .arguments = "<|channel|>commentary json<|message|>",
               .end = "<|call|>",
               .between = "<|start|>assistant",
               .after = ""},
    .make_parser = make_harmony_parser,
};

}  // namespace caravel::chat
