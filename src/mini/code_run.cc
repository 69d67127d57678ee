#include "mini/code_run.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/json_reader.h"
#include "base/printable.h"
#include "mini/describe.h"
#include "sandbox/own_child.h"

namespace caravel::mini {
namespace {

using sandbox::Child;
using voyager::CodeError;

constexpr size_t kChatBytes = 500;
constexpr size_t kMostDepth = 32;
constexpr std::string_view kBrokeOff = "ended: its process did not keep to what is agreed";

std::chrono::seconds processor_time(const CodeLimits& limits) {
  return std::chrono::seconds(static_cast<int64_t>(limits.seconds) + 1);
}

CodeError killed(std::string_view why) { return {.message = std::string(why), .killed = true}; }

/// The process ended by itself. Where it could not even be closed off, no code ran, and none will.
CodeError ended(const Child& child, const CodeLimits& limits) {
  if (child.ending() == "ended with 1")
    throw IoError("code cannot be run here: this system lets no process be cut off from it (seccomp)");
  if (child.ending() == "was killed: SIGKILL")
    return killed(fmt::format("ended after {} seconds of the processor's time", processor_time(limits).count()));
  return killed("ended: its process " + child.ending());
}

std::optional<Json> message_of(const std::string& line) {
  try {
    Json message = read_json(line, kMostDepth);
    if (message.is_object()) return message;
  } catch (const FormatError&) {
  }
  return std::nullopt;
}

/// Of {"failed": ...}. One by one: g++ 12 destroys members that were not made yet where one of an aggregate throws.
CodeError error_of(const Json& failed) {
  CodeError error;
  error.message = failed.at("message").get<std::string>();
  error.where = failed.at("where").get<std::string>();
  error.line = failed.at("line").get<int>();
  error.trace = failed.at("trace").get<std::string>();
  error.killed = failed.at("killed").get<bool>();
  return error;
}

/// Of {"parsed": ...}.
voyager::ParsedCode code_of(const Json& parsed) {
  voyager::ParsedCode code;
  code.main = parsed.at("main").get<std::string>();
  code.functions = parsed.at("functions").get<std::vector<std::string>>();
  code.calls = parsed.at("calls").get<std::vector<std::string>>();
  return code;
}

sandbox::Limits process_limits(const CodeLimits& limits) {
  constexpr int64_t kBesideLua = 448 << 20;  // addresses of the program and its libraries
  return {.memory_bytes = limits.memory_bytes + kBesideLua, .processor = processor_time(limits)};
}

Clock::duration patience(const CodeLimits& limits) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(limits.seconds));
}

/// What the child gives back for a request during which it calls nothing: no {"failed": ...}, that is an error.
std::variant<Json, CodeError> asked(const Json& request, const CodeLimits& limits) {
  Child child(sandbox::own_child("lua"), process_limits(limits));
  const Clock::time_point deadline = Clock::now() + patience(limits);
  child.send(to_text(request), deadline);
  std::string line;
  const Child::Got got = child.receive(line, deadline);
  if (got == Child::Got::kEnded) return ended(child, limits);
  if (got == Child::Got::kDeadline) return killed(fmt::format("it was not read within {} seconds", limits.seconds));
  const std::optional<Json> message = got == Child::Got::kLine ? message_of(line) : std::nullopt;
  if (!message) return killed(kBrokeOff);
  try {
    if (message->contains("failed")) return error_of(message->at("failed"));
  } catch (const Json::exception&) {
    return killed(kBrokeOff);
  }
  return *message;
}

Json library_of(const voyager::Program& program, const std::map<std::string, std::string>& left_out) {
  Json library = Json::array();
  for (const voyager::Primitive& primitive : primitives())
    library.push_back({{"name", primitive.name}, {"code", primitive.source}});
  for (const voyager::SkillCode& skill : program.skills) {
    const auto missing = left_out.find(skill.name);
    library.push_back(missing == left_out.end() ? Json{{"name", skill.name}, {"code", skill.code}}
                                                : Json{{"name", skill.name}, {"missing", missing->second}});
  }
  return library;
}

/// What code draws follows from what the player sees.
uint64_t seed_of(const World& world) {
  const std::string seen = to_text(voyager::to_json(world.observe()));
  return hash128(seen.data(), seen.size()).low;
}

std::string run_request(const World& world, const CodeLimits& limits, const voyager::Program& program,
                        const std::map<std::string, std::string>& left_out) {
  Json calls = Json::array();
  for (const voyager::Primitive& call : player_calls()) calls.push_back(call.name);
  return to_text({{"run",
                   {{"code", program.code},
                    {"main", program.main},
                    {"library", library_of(program, left_out)},
                    {"calls", calls},
                    {"seed", seed_of(world)},
                    {"instructions", limits.instructions},
                    {"memory_bytes", limits.memory_bytes}}}});
}

}  // namespace

CodeRun::CodeRun(World& world, const CodeLimits& limits, const voyager::Program& program)
    : world_(world), limits_(limits), program_(program), began_(world.tick()) {
  start();
}

void CodeRun::start() {
  child_.emplace(sandbox::own_child("lua"), process_limits(limits_));
  child_->send(run_request(world_, limits_, program_, left_out_), Clock::now() + patience(limits_));
}

bool CodeRun::leave_out(const Json& failed) {
  if (calls_ > 0 || !failed.contains("entry")) return false;
  const auto name = failed.at("entry").get<std::string>();
  const bool is_skill = std::ranges::find(program_.skills, name, &voyager::SkillCode::name) != program_.skills.end();
  if (!is_skill || !left_out_.emplace(name, failed.at("message").get<std::string>()).second) return false;
  start();
  return true;
}

/// Its time is that between two of its calls, while it says nothing: a machine that others keep busy, or a world that
/// takes long, does not end code that would end elsewhere.
std::optional<CodeRun::End> CodeRun::wait(Clock::time_point deadline) {
  while (true) {
    const Clock::time_point asked = Clock::now();
    const Clock::time_point last = asked + patience(limits_) - waited_;
    std::string line;
    const Child::Got got = child_->receive(line, std::min(last, deadline));
    if (got == Child::Got::kEnded) return End{ended(*child_, limits_)};
    if (got == Child::Got::kTooLong) return End{killed("ended: it sent more at once than may be sent")};
    if (got == Child::Got::kDeadline) {
      waited_ += Clock::now() - asked;
      if (deadline < last) return std::nullopt;
      return End{killed(fmt::format("ended after {} seconds without a call", limits_.seconds))};
    }
    waited_ = {};
    if (auto end = take(line)) return end;
    if (Clock::now() >= deadline) return std::nullopt;
  }
}

std::optional<CodeRun::End> CodeRun::take(const std::string& line) {
  const std::optional<Json> message = message_of(line);
  if (!message) return End{killed(kBrokeOff)};
  try {
    if (message->contains("done")) return End{};
    if (message->contains("failed")) {
      if (leave_out(message->at("failed"))) return std::nullopt;
      return End{error_of(message->at("failed"))};
    }
    const Json reply = answer(message->at("call").get<std::string>(), message->at("args"));
    child_->send(to_text(reply), Clock::now() + patience(limits_));
    return std::nullopt;
  } catch (const Json::exception&) {
    return End{killed(kBrokeOff)};
  }
}

Json CodeRun::answer(const std::string& name, Json arguments) {
  ++calls_;
  if (name == "chat") {
    ++chat_lines_;
    if (arguments.size() == 1 && arguments[0].is_string())
      arguments[0] = printable(arguments[0].get_ref<const std::string&>(), kChatBytes);
  }
  const std::string limit = passed_limit(name);
  if (!limit.empty()) return {{"end", limit}};
  return world_.call(name, arguments);
}

std::string CodeRun::passed_limit(const std::string& name) const {
  if (calls_ > limits_.calls) return fmt::format("ended after {} calls of the player's methods", limits_.calls);
  if (chat_lines_ > limits_.chat_lines) return fmt::format("ended after {} lines of chat", limits_.chat_lines);
  // One more line may say how it went.
  if (name != "chat" && world_.tick() - began_ >= limits_.ticks)
    return fmt::format("ended after {} ticks of the world's time: do less in one function", limits_.ticks);
  return "";
}

std::variant<voyager::ParsedCode, CodeError> parse_code(std::string_view code, const CodeLimits& limits) {
  const auto answered = asked({{"parse", code}}, limits);
  if (const auto* error = std::get_if<CodeError>(&answered)) return *error;
  try {
    return code_of(std::get<Json>(answered).at("parsed"));
  } catch (const Json::exception&) {
    return killed("the code could not be read");
  }
}

std::optional<CodeError> load_skill(const voyager::SkillCode& skill, const CodeLimits& limits) {
  const auto answered = asked({{"load", {{"name", skill.name}, {"code", skill.code}}}}, limits);
  if (const auto* error = std::get_if<CodeError>(&answered)) return *error;
  return std::nullopt;
}

}  // namespace caravel::mini
