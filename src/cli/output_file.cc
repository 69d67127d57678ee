#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace caravel::cli {

OutputFile::OutputFile(const std::string& path)
    : name_(path.empty() || path == "-" ? "standard output" : path), fd_(STDOUT_FILENO) {
  if (path.empty() || path == "-") return;
  while (true) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) throw fail<IoError>("{}: cannot write: {}", name_, std::strerror(errno));
    struct stat own = {};
    struct stat named = {};
    if (::fstat(fd_, &own) != 0 || !S_ISREG(own.st_mode)) return;  // a device or a pipe is anybody's
    const bool locked = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    const int code = errno;
    // Another run may have put a new file in its place meanwhile (replace_file()).
    if (locked && ::stat(path.c_str(), &named) == 0 && own.st_ino == named.st_ino && own.st_dev == named.st_dev) return;
    if (!locked && code != EWOULDBLOCK) return;  // a file system without locks
    ::close(fd_);
    if (!locked) throw fail<IoError>("{}: another run is writing to it; wait for its end, or give another file", name_);
  }
}

void OutputFile::keep(size_t bytes) {
  if (fd_ == STDOUT_FILENO) return;
  // Devices such as /dev/full cannot be cut; nothing of ours can be in them either.
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) == 0) ::lseek(fd_, static_cast<off_t>(bytes), SEEK_SET);
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

void replace_file(const std::string& path, std::string_view content) {
  const std::string target = std::filesystem::canonical(path).string();
  const std::string beside = target + ".new";
  const auto problem = [&](std::string_view file) {
    const int code = errno;
    ::unlink(beside.c_str());
    return fail<IoError>("{}: cannot write: {}; {} is as it was", file, std::strerror(code), path);
  };
  struct stat old = {};
  if (::stat(target.c_str(), &old) != 0) throw problem(target);
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, old.st_mode & 0777);
  if (fd < 0) throw problem(beside);
  bool written = ::fchmod(fd, old.st_mode & 0777) == 0;
  while (written && !content.empty()) {
    const ssize_t wrote = ::write(fd, content.data(), content.size());
    if (wrote > 0) content.remove_prefix(static_cast<size_t>(wrote));
    written = wrote > 0 || errno == EINTR;
  }
  written = written && ::fsync(fd) == 0;
  const int code = errno;
  ::close(fd);
  errno = code;
  if (!written || ::rename(beside.c_str(), target.c_str()) != 0) throw problem(beside);
}

}  // namespace caravel::cli
