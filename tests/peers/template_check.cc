// Renders chat templates for bench/peers/templates.py: reads JSON lines {"template_path", "input"} on stdin and prints
// for each {"text"} or {"error"}. `input` has the fields of ChatInput; `now` is seconds since 1970 in UTC. Of a line
// {"template_path", "traits": true} it prints what probes find out about the template.
#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "chat/template_probe.h"
#include "text/chat_template.h"

namespace {

using caravel::text::ChatInput;
using nlohmann::ordered_json;

ChatInput read_input(const ordered_json& json) {
  ChatInput input;
  input.messages = json.at("messages");
  input.tools = json.value("tools", ordered_json());
  input.documents = json.value("documents", ordered_json());
  input.add_generation_prompt = json.value("add_generation_prompt", false);
  input.kwargs = json.value("kwargs", ordered_json::object());
  input.bos_token = json.value("bos_token", "");
  input.eos_token = json.value("eos_token", "");
  const auto seconds = json.value("now", std::time_t{0});
  std::tm now{};
  gmtime_r(&seconds, &now);
  input.now = now;
  return input;
}

ordered_json check(const ordered_json& row) {
  try {
    const std::string source = caravel::read_file(row.at("template_path").get<std::string>());
    const caravel::text::ChatTemplate chat_template(source);
    if (row.value("traits", false)) {
      ordered_json traits;
      for (const auto& [name, value] : caravel::chat::probe_template(chat_template, source, "<s>", "</s>").describe()) {
        traits[name] = value;
      }
      return traits;
    }
    return {{"text", chat_template.render(read_input(row.at("input")))}};
  } catch (const caravel::Error& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << check(ordered_json::parse(line)).dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  }
}
