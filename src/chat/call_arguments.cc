#include "chat/call_arguments.h"

#include "fields/json.h"

namespace caravel::chat {

bool is_json_object(std::string_view arguments) {
  return Json::parse(arguments, nullptr, /*allow_exceptions=*/false).is_object();
}

}  // namespace caravel::chat
