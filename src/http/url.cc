#include "base/error.h"
#include "base/numbers.h"
#include "http/client.h"
#include "http/text.h"

namespace caravel::http {

Url parse_url(std::string_view text) {
  const auto wrong = [text](std::string_view why) {
    return fail<InvalidArgument>("{}: {}; a URL is http://HOST:PORT/PREFIX, or https", text, why);
  };
  const size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end == text.npos ? 0 : scheme_end);
  Url url;
  url.tls = equal_without_case(scheme, "https");
  if (!url.tls && !equal_without_case(scheme, "http")) throw wrong("it begins with neither http:// nor https://");
  url.port = url.tls ? 443 : 80;
  std::string_view authority = text.substr(scheme_end + 3);
  if (const size_t path = authority.find('/'); path != authority.npos) {
    url.path = authority.substr(path);
    while (url.path.ends_with('/')) url.path.pop_back();
    authority = authority.substr(0, path);
  }
  for (const char c : text) {
    if (c <= ' ' || c == 0x7f || c == '?' || c == '#' || c == '@')
      throw wrong("it holds a character that has no place");
  }
  size_t host_end = authority.find(':');
  if (authority.starts_with('[')) {
    host_end = authority.find(']');
    if (host_end == authority.npos) throw wrong("its '[' is not closed");
    url.host = authority.substr(1, host_end - 1);
    ++host_end;
  } else {
    url.host = authority.substr(0, host_end);
  }
  if (url.host.empty()) throw wrong("it names no host");
  if (host_end < authority.size()) {
    url.port = parse_number<uint16_t>(authority.substr(host_end + 1)).value_or(0);
    if (authority[host_end] != ':' || url.port == 0) throw wrong("its port is no number from 1 to 65535");
  }
  return url;
}

}  // namespace caravel::http
