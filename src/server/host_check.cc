#include "server/host_check.h"

#include <arpa/inet.h>

#include <algorithm>

#include "http/text.h"

namespace caravel::server {
namespace {

/// "[::1]:8000" and "localhost:8000" without their port.
std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return host;
  const std::string_view port = host.substr(colon + 1);
  const bool digits = std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  const bool address_alone = host.find(':') != colon && !host.substr(0, colon).ends_with(']');
  return digits && !address_alone ? host.substr(0, colon) : host;
}

std::string_view without_brackets(std::string_view host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

bool is_loopback(std::string_view host) {
  const std::string name(without_brackets(host));
  if (http::equal_without_case(name, "localhost")) return true;
  in_addr v4 = {};
  if (::inet_pton(AF_INET, name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6 = {};
  return ::inet_pton(AF_INET6, name.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

HostCheck::HostCheck(std::string_view bound_host, std::vector<std::string> allowed)
    : active_(is_loopback(bound_host) || !allowed.empty()), allowed_(std::move(allowed)) {}

bool HostCheck::accept(std::string_view host) const {
  if (!active_) return true;
  const std::string_view name = without_port(host);
  if (is_loopback(name)) return true;
  return std::ranges::any_of(allowed_, [&](const std::string& allowed) {
    return allowed == "*" || http::equal_without_case(allowed, host) || http::equal_without_case(allowed, name);
  });
}

}  // namespace caravel::server
