#include "minecraft/connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace caravel::minecraft {
namespace {

/// 0, or the error's number.
int connect_within(int fd, const addrinfo& where, int milliseconds) {
  if (::connect(fd, where.ai_addr, where.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd one{fd, POLLOUT, 0};
  if (::poll(&one, 1, milliseconds) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

int connect_to(const Address& address, double seconds) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (const int unknown = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &wanted, &first))
    throw fail<IoError>("{}: {}", address.text(), ::gai_strerror(unknown));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(first, ::freeaddrinfo);
  int error = EHOSTUNREACH;
  for (const addrinfo* where = first; where != nullptr; where = where->ai_next) {
    const int fd = ::socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) continue;
    error = connect_within(fd, *where, static_cast<int>(seconds * 1000));
    if (error == 0) {
      ::fcntl(fd, F_SETFL, 0);
      return fd;
    }
    ::close(fd);
  }
  throw fail<IoError>("{}: {}", address.text(), error == ECONNREFUSED ? "nobody listens there" : std::strerror(error));
}

}  // namespace caravel::minecraft
