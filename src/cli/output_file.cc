#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/make_id.h"

namespace caravel::cli {
namespace {

constexpr mode_t kNewFileMode = 0644;

bool names_standard_output(const std::string& path) { return path.empty() || path == "-"; }

bool is_same_file(const struct stat& a, const struct stat& b) { return a.st_ino == b.st_ino && a.st_dev == b.st_dev; }

/// Something that is there and can only be written to, as a pipe or /dev/full.
bool is_device(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

}  // namespace

OutputFile::OutputFile(const std::string& path)
    : name_(names_standard_output(path) ? "standard output" : path), fd_(STDOUT_FILENO) {
  if (names_standard_output(path)) return;
  while (true) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFileMode);
    is_unused_ = fd_ >= 0;
    if (fd_ < 0 && errno == EEXIST) fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kNewFileMode);
    if (fd_ < 0) throw fail<IoError>("{}: cannot write: {}", name_, std::strerror(errno));
    is_ours_ = true;
    struct stat own = {};
    struct stat named = {};
    is_file_ = ::fstat(fd_, &own) == 0 && S_ISREG(own.st_mode);
    if (!is_file_) return;  // a device or a pipe is anybody's
    const bool locked = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    const int code = errno;
    // Another run may have put a new file in its place meanwhile (replace_file()).
    if (locked && ::stat(path.c_str(), &named) == 0 && is_same_file(own, named)) return;
    if (!locked && code != EWOULDBLOCK) return;  // a file system without locks
    ::close(fd_);
    if (!locked) throw fail<IoError>("{}: another run is writing to it; wait for its end, or give another file", name_);
  }
}

OutputFile::~OutputFile() {
  if (!is_ours_) return;
  struct stat own = {};
  struct stat named = {};
  const bool is_in_place = ::fstat(fd_, &own) == 0 && ::stat(name_.c_str(), &named) == 0 && is_same_file(own, named);
  if (is_unused_ && is_in_place && own.st_size == 0) ::unlink(name_.c_str());
  ::close(fd_);
}

void OutputFile::keep(size_t bytes) {
  if (!is_file_) return;
  const auto end = static_cast<off_t>(bytes);
  if (::ftruncate(fd_, end) != 0 || ::lseek(fd_, end, SEEK_SET) != end) {
    throw fail<IoError>("{}: cannot cut it: {}", name_, std::strerror(errno));
  }
}

void OutputFile::write(std::string_view lines) {
  if (!try_write(lines)) std::_Exit(0);
}

bool OutputFile::try_write(std::string_view lines) {
  check_in_place();
  size_t done = 0;
  while (done < lines.size()) {
    const ssize_t wrote = ::write(fd_, lines.data() + done, lines.size() - done);
    if (wrote >= 0) {
      done += static_cast<size_t>(wrote);
      continue;
    }
    if (errno == EINTR) continue;
    const int code = errno;
    if (code == EPIPE) return false;
    const off_t end = is_file_ ? ::lseek(fd_, 0, SEEK_CUR) - static_cast<off_t>(done) : 0;
    if (is_file_ && done > 0 && ::ftruncate(fd_, end) == 0) ::lseek(fd_, end, SEEK_SET);
    throw fail<IoError>("{}: cannot write: {}{}", name_, std::strerror(code),
                        end > 0 ? "; results written before are kept" : "");
  }
  if (done > 0) is_unused_ = false;
  return true;
}

void OutputFile::check_in_place() const {
  if (!is_file_) return;
  struct stat own = {};
  struct stat named = {};
  if (::fstat(fd_, &own) != 0) return;
  if (::stat(name_.c_str(), &named) == 0 && is_same_file(own, named)) {
    const off_t end = ::lseek(fd_, 0, SEEK_CUR);
    if (own.st_size >= end) return;
    throw fail<IoError>(
        "{}: somebody has cut it from {} bytes to {} while results were written to it; those behind are gone, and the "
        "run ends. The same command computes them again",
        name_, end, own.st_size);
  }
  if (own.st_nlink == 0) {
    throw fail<IoError>("{}: somebody has deleted it while results were written to it; they are gone, and the run ends",
                        name_);
  }
  throw fail<IoError>(
      "{}: somebody has renamed it, or put another file in its place, while results were written to it; those so far "
      "are in the renamed one, and the run ends",
      name_);
}

FileBeside::FileBeside(const std::string& path, Links links) : path_(path), target_(path) {
  std::error_code error;
  const bool takes_link = links == Links::kReplaced && std::filesystem::is_symlink(path, error);
  if (const auto canonical = std::filesystem::canonical(path, error); !error && !takes_link) target_ = canonical;
  struct stat old = {};
  is_new_ = takes_link || ::stat(target_.c_str(), &old) != 0;
  if (!is_new_ && S_ISDIR(old.st_mode)) throw fail<IoError>("{}: cannot write: it is a directory", path_);
  if (!is_new_ && ::access(target_.c_str(), W_OK) != 0) throw problem();
  name_ = (target_.parent_path() / make_id(".caravel-")).string();
  fd_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewFileMode);
  if (fd_ < 0) throw problem();
  if (!is_new_ && ::fchmod(fd_, old.st_mode & 0777) != 0) {
    const IoError error_of_mode = problem();
    remove();
    throw error_of_mode;
  }
}

FileBeside::~FileBeside() { remove(); }

void FileBeside::write(std::string_view content) {
  while (!content.empty()) {
    const ssize_t wrote = ::write(fd_, content.data(), content.size());
    if (wrote < 0 && errno != EINTR) throw problem();
    if (wrote > 0) content.remove_prefix(static_cast<size_t>(wrote));
  }
}

void FileBeside::take_place() {
  if (::fsync(fd_) != 0) throw problem();
  if (::rename(name_.c_str(), target_.c_str()) == 0) {
    name_.clear();
    return;
  }
  // Nothing takes the place of a file that is mounted by itself, as containers do it: its content is written over.
  if (errno != EBUSY && errno != EXDEV) throw problem();
  std::error_code error;
  if (std::filesystem::copy_file(name_, target_, std::filesystem::copy_options::overwrite_existing, error)) return;
  throw fail<IoError>("{}: cannot write: {}; what was to stand there is in {}", path_, error.message(),
                      std::exchange(name_, ""));
}

/// By errno.
IoError FileBeside::problem() const {
  return fail<IoError>("{}: cannot write: {}{}", path_, std::strerror(errno), is_new_ ? "" : "; it is as it was");
}

void FileBeside::remove() {
  if (fd_ >= 0) ::close(fd_);
  if (fd_ >= 0 && !name_.empty()) ::unlink(name_.c_str());
  fd_ = -1;
}

void replace_file(const std::string& path, std::string_view content) {
  if (names_standard_output(path) || is_device(path)) return OutputFile(path).write(content);
  FileBeside file(path);
  file.write(content);
  file.take_place();
}

void check_replaceable(const std::string& path) {
  if (!is_device(path)) FileBeside{path};
}

bool holds_own(const std::string& path, std::initializer_list<std::string_view> beginnings, std::string_view what) {
  if (names_standard_output(path)) return false;
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown) || std::filesystem::file_size(path, unknown) == 0) return false;
  const auto file = File::open(path);
  const auto is_begun = [&file](std::string_view beginning) {
    const MappedBytes bytes = file->map(0, std::min<uint64_t>(file->size(), beginning.size()));
    return std::ranges::equal(bytes.bytes(), std::as_bytes(std::span(beginning.substr(0, bytes.bytes().size()))));
  };
  if (std::ranges::any_of(beginnings, is_begun)) return true;
  throw fail<InvalidArgument>("{}: is there and holds no {}; give another name, or remove the file first", path, what);
}

}  // namespace caravel::cli
