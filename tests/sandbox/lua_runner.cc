#include "lua_runner.h"

#include "base/json_reader.h"
#include "sandbox/own_child.h"

namespace caravel::sandbox {

Json LuaRunner::run(const std::string& code, const std::string& main) {
  Json entries = Json::array();
  for (const auto& [name, text] : library) entries.push_back({{"name", name}, {"code", text}});
  return talk({{"run",
                {{"code", code},
                 {"main", main},
                 {"library", entries},
                 {"calls", {"ask", "chat"}},
                 {"seed", seed},
                 {"instructions", instructions},
                 {"memory_bytes", memory_bytes}}}});
}

std::string LuaRunner::says(const std::string& lines) {
  said.clear();
  const Json outcome = run_lines(lines);
  return said.empty() || !outcome.contains("done") ? spelled(outcome) : said.front();
}

Json LuaRunner::parse(const std::string& code) { return talk({{"parse", code}}); }

Json LuaRunner::load(const std::string& name, const std::string& code) {
  return talk({{"load", {{"name", name}, {"code", code}}}});
}

Json LuaRunner::talk(const Json& request) {
  Child child(own_child("lua"), limits);
  const auto deadline = Clock::now() + patience;
  if (!child.send(request.dump(-1, ' ', false, Json::error_handler_t::replace), deadline))
    return {{"ended", "took nothing"}};
  while (true) {
    std::string line;
    const Child::Got got = child.receive(line, deadline);
    if (got == Child::Got::kDeadline) return {{"ended", "deadline"}};
    if (got == Child::Got::kTooLong) return {{"ended", "too long a line"}};
    if (got == Child::Got::kEnded) return {{"ended", child.ending()}};
    const Json message = read_json(line, 100);
    if (!message.contains("call")) return message;
    if (message.at("call") == "chat") said.push_back(message.at("args").at(0).get<std::string>());
    const Json answer = message.at("call") == "chat" ? Json{{"value", true}} : ask(message.at("args"));
    child.send(answer.dump(), deadline);
  }
}

std::string spelled(const Json& outcome) {
  if (!outcome.contains("failed")) return outcome.dump();
  const Json& failed = outcome.at("failed");
  return (failed.at("killed").get<bool>() ? "killed " : "") + failed.at("message").get<std::string>();
}

}  // namespace caravel::sandbox
