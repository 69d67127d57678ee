#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace caravel {
namespace {

[[noreturn]] void throw_errno(const std::string& path, const char* what) {
  const int code = errno;
  if (code == ENOENT) throw fail<NotFound>("{}: no such file", path);
  throw fail<IoError>("{}: cannot {}: {}", path, what, std::strerror(code));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw_errno(path, "open");
  }
  ~FileDescriptor() { ::close(fd_); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  const FileDescriptor file(path);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "stat");
  if (!S_ISREG(status.st_mode)) throw fail<IoError>("{}: not a regular file", path);
  if (status.st_size == 0) throw fail<IoError>("{}: the file is empty", path);
  const auto size = static_cast<size_t>(status.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) throw_errno(path, "map");
  return std::shared_ptr<const MappedFile>(new MappedFile(path, {static_cast<const std::byte*>(data), size}));
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

std::string read_file(const std::string& path) {
  const FileDescriptor file(path);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw_errno(path, "stat");
  if (S_ISDIR(status.st_mode)) throw fail<IoError>("{}: is a directory", path);
  std::string content;
  char chunk[1 << 16];
  while (true) {
    const ssize_t got = ::read(file.get(), chunk, sizeof chunk);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw_errno(path, "read");
    }
    if (got == 0) return content;
    content.append(chunk, static_cast<size_t>(got));
  }
}

}  // namespace caravel
