#pragma once

#include <string>

namespace caravel::minecraft {

/// Where a server is.
struct Address {
  std::string host;
  int port = 0;

  std::string text() const { return host + ":" + std::to_string(port); }
};

/// A descriptor of a connection by TCP, which blocks and is closed on exec; the caller closes it. Throws IoError.
int connect_to(const Address& address, double seconds);

}  // namespace caravel::minecraft
