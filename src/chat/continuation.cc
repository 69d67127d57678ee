#include "chat/continuation.h"

#include <string_view>

#include "base/error.h"
#include "text/jinja/python_text.h"

namespace caravel::chat {
namespace {

constexpr std::string_view kMark = "CARAVEL_CONTINUES_THE_FINAL_MESSAGE_HERE";
// Behind the mark: it is gone where the template trims.
constexpr char kSpace = ' ';

}  // namespace

Continuation::Continuation(Json& messages) {
  Json& message = messages.back();
  Json* content = message.contains("content") ? &message["content"] : nullptr;
  if (content != nullptr && content->is_array()) content = content->empty() ? nullptr : &content->back()["text"];
  if (content == nullptr || !content->is_string()) {
    throw InvalidArgument("The final message has no content that could be continued.");
  }
  auto& text = content->get_ref<std::string&>();
  content_ = text;
  text.append(kMark).push_back(kSpace);
}

void Continuation::cut(std::string& prompt) const {
  using text::jinja::strip;
  const size_t mark = prompt.rfind(kMark);
  if (mark == std::string::npos || prompt.find(strip(content_)) == std::string::npos) {
    throw InvalidArgument("The chat template changes the final message, so that it cannot be continued.");
  }
  const size_t behind = mark + kMark.size();
  const bool trims = behind == prompt.size() || prompt[behind] != kSpace;
  prompt.resize(mark);
  if (trims) prompt.resize(strip(prompt, nullptr, /*left=*/false).size());
}

}  // namespace caravel::chat
