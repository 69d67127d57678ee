#include "cli/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace caravel::cli {

OutputFile::OutputFile(const std::string& path, size_t keep_bytes)
    : name_(path.empty() || path == "-" ? "standard output" : path), fd_(STDOUT_FILENO) {
  if (path.empty() || path == "-") return;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw fail<IoError>("{}: cannot write: {}", name_, std::strerror(errno));
  // Devices such as /dev/full cannot be cut; nothing of ours can be in them either.
  if (::ftruncate(fd_, static_cast<off_t>(keep_bytes)) == 0) ::lseek(fd_, static_cast<off_t>(keep_bytes), SEEK_SET);
}

OutputFile::~OutputFile() {
  if (fd_ != STDOUT_FILENO) ::close(fd_);
}

void OutputFile::write(std::string_view lines) {
  size_t done = 0;
  while (done < lines.size()) {
    const ssize_t wrote = ::write(fd_, lines.data() + done, lines.size() - done);
    if (wrote >= 0) {
      done += static_cast<size_t>(wrote);
      continue;
    }
    if (errno == EINTR) continue;
    const int code = errno;
    if (code == EPIPE) std::_Exit(0);
    if (fd_ != STDOUT_FILENO && done > 0) {
      const off_t end = ::lseek(fd_, 0, SEEK_CUR) - static_cast<off_t>(done);
      if (::ftruncate(fd_, end) == 0) ::lseek(fd_, end, SEEK_SET);
    }
    throw fail<IoError>("{}: cannot write: {}; results written before are kept", name_, std::strerror(code));
  }
}

}  // namespace caravel::cli
