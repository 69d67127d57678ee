#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caravel::server {

/// "localhost", 127.0.0.0/8, ::1 (in brackets or not).
bool is_loopback(std::string_view host);

/// Refuses requests by their Host header. A page of another site can make its own name point to 127.0.0.1 (DNS
/// rebinding), and its scripts then count as of one origin with the server: only the name in Host tells. Immutable.
class HostCheck {
 public:
  /// Nothing is checked where `bound_host` is no loopback address and nothing is `allowed`.
  HostCheck(std::string_view bound_host, std::vector<std::string> allowed);

  /// host: the header's value. Any port counts as right, so that tunnels work; a name in `allowed` may hold its port.
  bool accept(std::string_view host) const;

 private:
  bool active_;
  std::vector<std::string> allowed_;
};

}  // namespace caravel::server
