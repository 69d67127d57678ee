#include "voyager/chat_reply.h"

#include <utility>

#include "base/error.h"
#include "base/printable.h"
#include "caravel/result.h"
#include "fields/openai_replies.h"
#include "voyager/text_lines.h"

namespace caravel::voyager {
namespace {

constexpr std::string_view kThinkBegin = "<think>";
constexpr std::string_view kThinkEnd = "</think>";

/// The member, where there is one of that kind.
const Json* member_of(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string_view member_text(const Json& object, const char* key) {
  const Json* const found = member_of(object, key);
  return found != nullptr && found->is_string() ? std::string_view(found->get_ref<const std::string&>()) : "";
}

/// Nothing: it is not given, or is none that a chat can have; a run adds such counts up.
std::optional<int64_t> token_count(const Json& usage, const char* key) {
  constexpr uint64_t kMostTokens = 1'000'000'000;
  const Json* const count = member_of(usage, key);
  // Whole numbers that are not negative are unsigned, as they are parsed.
  if (count == nullptr || !count->is_number_unsigned() || count->get<uint64_t>() > kMostTokens) return std::nullopt;
  return count->get<int64_t>();
}

}  // namespace

ChatReply::ChatReply(const OnPiece& on_piece)
    : on_piece_(on_piece),
      parser_(chat::make_output_parser(chat::ToolFormat::kNone, nullptr,
                                       {std::string(kThinkBegin), std::string(kThinkEnd), false})) {
  answer_.counted = false;
}

void ChatReply::feed(std::string_view bytes) {
  if (form_ == Form::kUnknown) {
    document_ += bytes;
    const size_t begin = document_.find_first_not_of(" \n\r\t");
    if (begin == document_.npos) return;
    form_ = document_[begin] == '{' ? Form::kDocument : Form::kEvents;
    if (form_ == Form::kEvents) lines_.feed(document_, [this](std::string_view data) { read_event(data); });
  } else if (form_ == Form::kDocument) {
    document_ += bytes;
  } else {
    lines_.feed(bytes, [this](std::string_view data) { read_event(data); });
  }
}

std::string ChatReply::finish() {
  lines_.finish([this](std::string_view data) { read_event(data); });
  const bool said_data = has_ended_ || !answer_.text.empty() || !answer_.reasoning.empty();
  if (form_ == Form::kDocument) {
    has_ended_ = true;
    read_event(document_);
  }
  add_pieces(parser_->finish());
  if (!problem_.empty()) return problem_;
  if (!has_ended_) {
    return said_data
               ? "the stream ended before the answer did"
               : fmt::format("the answer is no chat's: {}", document_.empty() ? "it is empty" : printable(document_));
  }
  // A template that opens the reasoning part itself leaves its end mark alone in the answer.
  if (const size_t end = answer_.text.find(kThinkEnd); answer_.reasoning.empty() && end != std::string::npos) {
    answer_.reasoning = trimmed(std::string_view(answer_.text).substr(0, end));
    answer_.text = trimmed(std::string_view(answer_.text).substr(end + kThinkEnd.size()));
  }
  return "";
}

void ChatReply::read_event(std::string_view data) {
  if (!problem_.empty()) return;
  if (data == "[DONE]") {
    has_ended_ = true;
    return;
  }
  Json event;
  try {
    event = parse_json(data);
  } catch (const FormatError&) {
    problem_ = fmt::format("the answer is not JSON: {}", printable(data));
    return;
  }
  if (member_of(event, "error") != nullptr) {
    read_error(event, data);
    return;
  }
  if (const Json* const usage = member_of(event, "usage")) read_usage(*usage);
  const Json* const choices = member_of(event, "choices");
  if (choices != nullptr && choices->is_array() && !choices->empty()) {
    read_choice(choices->front(), form_ == Form::kDocument ? "message" : "delta");
  } else if (form_ == Form::kDocument) {
    problem_ = fmt::format("the answer has no choices: {}", printable(data));
  }
}

void ChatReply::read_choice(const Json& choice, const char* part) {
  if (const Json* const said = member_of(choice, part)) {
    for (const char* const key : {"reasoning_content", "reasoning"}) {
      const std::string_view reasoning = member_text(*said, key);
      if (reasoning.empty()) continue;
      add_pieces({{Piece::Kind::kReasoning, 0, std::string(reasoning)}});
      break;
    }
    for (const char* const key : {"content", "refusal"}) add_text(member_text(*said, key));
  }
  const std::string_view reason = member_text(choice, "finish_reason");
  if (reason.empty()) return;
  has_ended_ = true;
  answer_.is_cut = reason == "length";
  answer_.goes_round = answer_.is_cut && member_text(choice, "stop_reason") == kRepetitionDetected;
}

void ChatReply::read_usage(const Json& usage) {
  const std::optional<int64_t> prompt = token_count(usage, "prompt_tokens");
  const std::optional<int64_t> completion = token_count(usage, "completion_tokens");
  if (!prompt || !completion) return;
  answer_.prompt_tokens = *prompt;
  answer_.completion_tokens = *completion;
  answer_.counted = true;
}

void ChatReply::read_error(const Json& json, std::string_view text) {
  problem_ = error_message(std::string(text));
  const Json* const code = member_of(*member_of(json, "error"), "code");
  if (code != nullptr && code->is_number_integer()) error_status_ = code->get<int>();
}

void ChatReply::add_text(std::string_view text) {
  if (!text.empty()) add_pieces(parser_->feed(text));
}

void ChatReply::add_pieces(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    (piece.kind == Piece::Kind::kReasoning ? answer_.reasoning : answer_.text) += piece.text;
    if (on_piece_) on_piece_(piece.text);
  }
}

}  // namespace caravel::voyager
