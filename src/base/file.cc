#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/error.h"

namespace caravel {
namespace {

constexpr int kWaitForWriter = 5000;  // milliseconds

[[noreturn]] void throw_errno(const std::string& path, const char* what) {
  const int code = errno;
  if (code == ENOENT) throw fail<NotFound>("{}: no such file", path);
  throw fail<IoError>("{}: cannot {}: {}", path, what, std::strerror(code));
}

class FileDescriptor {
 public:
  /// Not waiting for anybody to open the other end of a named pipe.
  explicit FileDescriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) throw_errno(path, "open");
  }
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }
  /// The caller closes it.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// Until there is something to be read, or the end; false: neither came within so many milliseconds (-1: any number).
bool wait_readable(int fd, int milliseconds) {
  pollfd waited = {.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waited, 1, milliseconds) != 0;
}

/// is_late: a pipe that nobody may have opened for writing yet.
std::string read_to_end(int fd, const std::string& name, uint64_t most, bool is_late = false) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) throw_errno(name, "read");
  const bool is_file = S_ISREG(status.st_mode);
  if (!is_file) most = std::min(most, kMostOfStream);
  std::string content;
  char chunk[1 << 16];
  while (true) {
    if (content.size() > most) {
      throw fail<IoError>("{}: has more than {} MiB, the most that is read of {}", name, most >> 20,
                          is_file ? "it" : "what is no regular file; put it into one");
    }
    const ssize_t got = ::read(fd, chunk, sizeof chunk);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) throw_errno(name, "read");
      is_late = false;  // who writes is there, and has nothing yet
      wait_readable(fd, -1);
      continue;
    }
    if (got == 0 && is_late && content.empty()) {
      throw fail<IoError>("{}: is a pipe that nobody has opened for writing within {} s; start who writes first", name,
                          kWaitForWriter / 1000);
    }
    if (got == 0) return content;
    content.append(chunk, static_cast<size_t>(got));
  }
}

}  // namespace

bool is_there(const std::filesystem::path& path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown);
}

MappedBytes::~MappedBytes() {
  if (pages_ != nullptr) ::munmap(pages_, pages_size_);
}

std::shared_ptr<const File> File::open(const std::string& path) {
  FileDescriptor file(path);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "stat");
  if (!S_ISREG(status.st_mode)) throw fail<IoError>("{}: not a regular file", path);
  if (status.st_size == 0) throw fail<IoError>("{}: the file is empty", path);
  return std::shared_ptr<const File>(new File(path, file.release(), static_cast<uint64_t>(status.st_size)));
}

File::~File() { ::close(fd_); }

MappedBytes File::map(uint64_t offset, uint64_t length) const {
  CARAVEL_CHECK(offset <= size_ && length <= size_ - offset);
  if (length == 0) return {};
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t before = offset % page;
  const size_t pages_size = before + length;
  void* const pages = ::mmap(nullptr, pages_size, PROT_READ, MAP_SHARED, fd_, static_cast<off_t>(offset - before));
  if (pages == MAP_FAILED) throw_errno(path_, "map");
  return MappedBytes(pages, pages_size, {static_cast<const std::byte*>(pages) + before, length});
}

std::string read_file(const std::string& path, uint64_t most) {
  const FileDescriptor file(path);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "stat");
  if (S_ISDIR(status.st_mode)) throw fail<IoError>("{}: is a directory", path);
  const bool is_late = S_ISFIFO(status.st_mode) && !wait_readable(file.get(), kWaitForWriter);
  return read_to_end(file.get(), path, most, is_late);
}

std::string read_standard_input() { return read_to_end(STDIN_FILENO, "standard input", kAnySize); }

std::string read_input(const std::string& path) { return path == "-" ? read_standard_input() : read_file(path); }

void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // open() takes the lowest descriptor that is free: this one. The other way round than it is used, it fails.
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace caravel
