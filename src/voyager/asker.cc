#include "voyager/asker.h"

#include <algorithm>

namespace caravel::voyager {
namespace {

int64_t bytes_in(const std::vector<Message>& messages) {
  int64_t bytes = 0;
  for (const Message& message : messages) bytes += std::ssize(message.content);
  return bytes;
}

}  // namespace

ModelAnswer Asker::ask(Role role, const FillingsFor& fillings, std::string_view schema) const {
  ModelRequest request{.role = role, .schema = std::string(schema)};
  for (int level = 0; level < Room::kLevels; ++level) {
    request.messages = prompts_.render(role, fillings(Room(level)));
    if (prompt_bytes_ == 0 || bytes_in(request.messages) <= prompt_bytes_) break;
  }
  return calls_.chat(request);
}

}  // namespace caravel::voyager
