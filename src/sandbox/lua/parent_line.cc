#include "sandbox/lua/parent_line.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/error.h"
#include "base/json_reader.h"

namespace caravel::sandbox::lua {
namespace {

constexpr size_t kMostDepth = 64;

}  // namespace

Json ParentLine::read() {
  size_t end = read_.find('\n');
  while (end == std::string::npos) {
    std::array<char, 64 << 10> piece;
    const ssize_t count = ::read(fd_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) ::_exit(1);
    const size_t before = read_.size();
    read_.append(piece.data(), static_cast<size_t>(count));
    end = read_.find('\n', before);
  }
  try {
    Json message = read_json(std::string_view(read_).substr(0, end), kMostDepth);
    read_.erase(0, end + 1);
    return message;
  } catch (const FormatError&) {
    ::_exit(1);
  }
}

void ParentLine::write(const Json& message) {
  const std::string text = message.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  for (size_t at = 0; at < text.size();) {
    const ssize_t count = ::write(fd_, text.data() + at, text.size() - at);
    if (count < 0 && errno != EINTR) ::_exit(1);
    if (count > 0) at += static_cast<size_t>(count);
  }
}

void ParentLine::finish(const Json& message) {
  write(message);
  ::_exit(0);
}

}  // namespace caravel::sandbox::lua
