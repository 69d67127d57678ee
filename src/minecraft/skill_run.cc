#include "minecraft/skill_run.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/json_reader.h"
#include "base/printable.h"
#include "sandbox/node/node_child.h"
#include "voyager/text_lines.h"

namespace caravel::minecraft {
namespace {

using sandbox::Child;
using voyager::CodeError;

constexpr size_t kDeepest = 8;
constexpr size_t kMostText = 2000;
constexpr size_t kMostName = 64;
constexpr size_t kMostChat = 200;  // lines
constexpr size_t kMostChests = 200;
constexpr size_t kMostKinds = 100;  // of items in one
constexpr double kFarthest = 1e8;   // blocks
constexpr double kConnects = 15;    // seconds
constexpr double kJoins = 90;       // seconds, in which Node starts and the bot joins
constexpr double kLoads = 10;       // seconds, in which what stands beside a skill's functions has to end
constexpr double kSlower = 3;       // times, that a busy machine's world may be slower than its clock
constexpr std::string_view kBrokeOff = "ended: its process did not keep to what is agreed";

Clock::duration of_seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

CodeError killed(std::string_view why) { return {.message = std::string(why), .killed = true}; }

CodeError ended(const Child& child) {
  if (child.ending() == "was killed: SIGABRT" || child.ending() == "was killed: SIGTRAP")
    return killed("ended: it took more memory than it may have");
  return killed("ended: its process " + child.ending());
}

std::optional<Json> message_of(const std::string& line) {
  try {
    Json message = read_json(line, kDeepest);
    if (message.is_object()) return message;
  } catch (const FormatError&) {
  }
  return std::nullopt;
}

double wall_seconds(const Player& player, const CodeLimits& limits) {
  return kJoins + kSlower * limits.seconds / player.clock;
}

sandbox::Limits process_limits(const CodeLimits& limits, double seconds) {
  return {.memory_bytes = limits.memory_bytes,
          .processor = std::chrono::seconds(static_cast<int64_t>(std::ceil(seconds)) + 1),
          .open_files = 64,
          .has_threads = true};
}

std::vector<std::string> command(const Installation& installation, std::vector<std::string> words) {
  return sandbox::node::node_command(installation.node, installation.folder, installation.script("skills/child.js"),
                                     words);
}

std::string request(const voyager::Program& program, const CodeLimits& limits) {
  Json skills = Json::array();
  for (const voyager::SkillCode& skill : program.skills) skills.push_back({{"name", skill.name}, {"code", skill.code}});
  return to_text(
      {{"run", {{"code", program.code}, {"main", program.main}, {"skills", skills}, {"seconds", limits.seconds}}}});
}

std::string plain_lines(const std::string& text) {
  std::string lines;
  for (const std::string_view line : voyager::lines_of(text)) {
    if (lines.size() > kMostText) break;
    lines += (lines.empty() ? "" : "\n") + printable(line, kMostText);
  }
  return lines;
}

}  // namespace

CodeError code_error(const Json& failed) {
  CodeError error;
  error.message = printable(failed.at("message").get<std::string>(), kMostText);
  error.where = printable(failed.at("where").get<std::string>(), kMostName);
  error.line = failed.at("line").get<int>();
  error.trace = plain_lines(failed.at("trace").get<std::string>());
  error.killed = failed.at("killed").get<bool>();
  return error;
}

SkillRun::SkillRun(const Installation& installation, const Address& server, const Player& player,
                   const CodeLimits& limits, const voyager::Program& program, SurfaceMap& map)
    : limits_(limits), map_(map), last_(Clock::now() + of_seconds(wall_seconds(player, limits))), heard_(Clock::now()) {
  const int connection = connect_to(server, kConnects);
  try {
    child_.emplace(
        command(installation, {"--mode", "run", "--name", player.name, "--clock", fmt::format("{}", player.clock)}),
        process_limits(limits, wall_seconds(player, limits)), connection);
  } catch (...) {
    ::close(connection);
    throw;
  }
  ::close(connection);  // the child has its own
  child_->send(request(program, limits), Clock::now() + of_seconds(kJoins));
}

std::optional<SkillRun::End> SkillRun::wait(Clock::time_point deadline) {
  while (true) {
    const Clock::time_point silent = heard_ + of_seconds(limits_.silence);
    const Clock::time_point until = std::min({deadline, silent, last_});
    std::string line;
    switch (child_->receive(line, until)) {
      case Child::Got::kLine:
        heard_ = Clock::now();
        if (auto end = take(line)) return end;
        if (heard_ >= last_) return End{killed("ended: it took too long"), ""};
        break;
      case Child::Got::kEnded:
        return End{ended(*child_), ""};
      case Child::Got::kTooLong:
        return End{killed("ended: it sent more at once than may be sent"), ""};
      case Child::Got::kDeadline:
        if (until == deadline) return std::nullopt;
        return End{
            killed(until == last_
                       ? "ended: it took too long"
                       : fmt::format(
                             "ended at the deadline: {} seconds without an await that was over; does a loop never end?",
                             limits_.silence)),
            ""};
    }
    if (Clock::now() >= deadline) return std::nullopt;
  }
}

void SkillRun::take_chest(const std::string& place, const std::map<std::string, int>& holds) {
  if (chests.size() >= kMostChests && !chests.contains(place)) return;
  std::map<std::string, int>& seen = chests[printable(place, kMostName)];
  seen.clear();
  for (const auto& [name, count] : holds)
    if (seen.size() < kMostKinds) seen[printable(name, kMostName)] = count;
}

void SkillRun::take_position(const Json& at) {
  const auto place = at.get<std::array<double, 3>>();
  if (std::ranges::all_of(place, [](double value) { return std::abs(value) < kFarthest; }))
    position = {place[0], place[1], place[2]};
}

std::optional<SkillRun::End> SkillRun::take(const std::string& line) {
  const std::optional<Json> message = message_of(line);
  if (!message) return End{killed(kBrokeOff), ""};
  try {
    if (message->contains("done")) return End{};
    if (message->contains("failed")) return End{code_error(message->at("failed")), ""};
    if (message->contains("sent_away"))
      return End{std::nullopt, printable(message->at("sent_away").get<std::string>(), kMostText)};
    if (message->contains("chat") && chat.size() < kMostChat) {
      chat.push_back({voyager::Event::Kind::kChat, message->at("tick").get<int64_t>(),
                      printable(message->at("chat").get<std::string>(), kMostText)});
    }
    if (message->contains("chest")) {
      const Json& holds = message->at("holds");
      take_chest(message->at("chest").get<std::string>(),
                 holds.is_null() ? std::map<std::string, int>() : holds.get<std::map<std::string, int>>());
    }
    if (message->contains("column")) map_.take(message->at("column"));
    if (message->contains("at")) take_position(message->at("at"));
  } catch (const Json::exception&) {
    return End{killed(kBrokeOff), ""};
  }
  return std::nullopt;
}

std::optional<CodeError> load_skill(const Installation& installation, const voyager::SkillCode& skill,
                                    const CodeLimits& limits) {
  Child child(command(installation, {"--mode", "load"}), process_limits(limits, kLoads));
  const Clock::time_point deadline = Clock::now() + of_seconds(kLoads);
  child.send(to_text({{"load", {{"name", skill.name}, {"code", skill.code}}}}), deadline);
  std::string line;
  const Child::Got got = child.receive(line, deadline);
  if (got == Child::Got::kEnded) return ended(child);
  if (got == Child::Got::kDeadline)
    return killed(fmt::format("what stands beside its functions does not end within {} seconds", kLoads));
  const std::optional<Json> message = got == Child::Got::kLine ? message_of(line) : std::nullopt;
  if (!message) return killed(kBrokeOff);
  try {
    if (message->contains("failed")) return code_error(message->at("failed"));
  } catch (const Json::exception&) {
    return killed(kBrokeOff);
  }
  return std::nullopt;
}

}  // namespace caravel::minecraft
