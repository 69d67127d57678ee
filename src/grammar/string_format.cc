#include "grammar/string_format.h"

#include <map>
#include <mutex>
#include <string>

#include "base/interrupt.h"
#include "grammar/code_points.h"
#include "grammar/regex_parser.h"

namespace caravel::grammar {
namespace {

struct Format {
  std::string pattern;
  int max_length = kUnbounded;
};

std::map<std::string, Format, std::less<>> make_formats() {
  const std::string date =
      "(?:[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|"
      "02-(?:0[1-9]|1[0-9]|2[0-8]))|"
      "(?:[12][0-9](?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)-02-29)";
  const std::string time =
      "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
  const std::string n = "[0-9]{1,9}";
  const std::string hours = "T(?:" + n + "H(?:" + n + "M(?:" + n + "S)?)?|" + n + "M(?:" + n + "S)?|" + n + "S)";
  const std::string days = "(?:" + n + "Y(?:" + n + "M(?:" + n + "D)?)?|" + n + "M(?:" + n + "D)?|" + n + "D)";
  const std::string label = "[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*";
  const std::string host = label + "(?:\\." + label + ")*";
  const std::string octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  const std::string ipv4 = octet + "(?:\\." + octet + "){3}";
  const std::string h = "[0-9A-Fa-f]{1,4}";
  std::string ipv6 = "(?:" + h + ":){7}" + h + "|:(?:(?::" + h + "){1,7}|:)|(?:" + h + ":){1,7}:";
  for (int before = 1; before <= 6; ++before) {
    ipv6 += "|(?:" + h + ":){" + std::to_string(before) + "}(?::" + h + "){1," + std::to_string(7 - before) + "}";
  }
  const std::string pchar = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
  const std::string tail = "(?:\\?(?:" + pchar + "|[/?])*)?(?:#(?:" + pchar + "|[/?])*)?";
  const std::string path = "(?:/" + pchar + "*)*";
  const std::string authority = "//" + host + "(?::[0-9]{1,5})?" + path;
  const std::string uri = "[A-Za-z][A-Za-z0-9+.-]*:(?:" + authority + "|" + pchar + "+" + path + ")" + tail;
  const std::string relative = "(?:" + authority + "|/(?:" + pchar + "+" + path +
                               ")?|(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+" + path + ")?" + tail;
  const std::string pointer = "(?:/(?:[^/~]|~[01])*)*";
  const std::string email = "[A-Za-z0-9_+-]+(?:\\.[A-Za-z0-9_+-]+)*@" + host;
  return {
      {"date", {date}},
      {"time", {time}},
      {"date-time", {date + "[Tt]" + time}},
      {"duration", {"P(?:" + n + "W|" + days + "(?:" + hours + ")?|" + hours + ")"}},
      {"uuid", {"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"}},
      {"email", {email, 63}},
      {"idn-email", {email, 63}},
      {"hostname", {host, 63}},
      {"idn-hostname", {host, 63}},
      {"ipv4", {ipv4}},
      {"ipv6", {ipv6}},
      {"uri", {uri}},
      {"iri", {uri}},
      {"uri-reference", {"(?:" + uri + "|" + relative + ")"}},
      {"iri-reference", {"(?:" + uri + "|" + relative + ")"}},
      {"json-pointer", {pointer}},
      {"relative-json-pointer", {"(?:0|[1-9][0-9]{0,8})(?:#|" + pointer + ")"}},
  };
}

}  // namespace

std::shared_ptr<const Fsm> string_format(std::string_view name) {
  static const auto kFormats = make_formats();
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Fsm>, std::less<>> made;
  const auto format = kFormats.find(name);
  if (format == kFormats.end()) return nullptr;
  const std::lock_guard lock(mutex);
  const Uninterrupted once;
  std::shared_ptr<const Fsm>& fsm = made[format->first];
  if (fsm == nullptr) {
    Fsm all = make_dfa(*parse_regex(format->second.pattern), name);
    if (format->second.max_length != kUnbounded) {
      const Fsm few = make_dfa(*repeat(chars({{0, kLastChar}}), 0, format->second.max_length), name);
      all = intersect(all, few, name);
    }
    fsm = std::make_shared<Fsm>(std::move(all));
  }
  return fsm;
}

}  // namespace caravel::grammar
