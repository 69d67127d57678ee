#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace caravel {

/// False also where it cannot be told.
bool is_there(const std::filesystem::path& path);

/// Bytes of a file, mapped read-only while the object lives, or bytes that somebody else keeps. Movable. Any thread may
/// read them.
class MappedBytes {
 public:
  MappedBytes() = default;
  /// Kept by somebody who outlives the object.
  explicit MappedBytes(std::span<const std::byte> kept) : bytes_(kept) {}
  ~MappedBytes();
  MappedBytes(MappedBytes&& other) noexcept { swap(other); }
  MappedBytes& operator=(MappedBytes&& other) noexcept {
    MappedBytes moved(std::move(other));
    swap(moved);
    return *this;
  }

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  friend class File;
  MappedBytes(void* pages, size_t pages_size, std::span<const std::byte> bytes)
      : pages_(pages), pages_size_(pages_size), bytes_(bytes) {}
  void swap(MappedBytes& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(pages_size_, other.pages_size_);
    std::swap(bytes_, other.bytes_);
  }

  void* pages_ = nullptr;  // the mapping: whole pages around bytes_
  size_t pages_size_ = 0;
  std::span<const std::byte> bytes_;
};

/// A file that is open for reading and of which parts are mapped as they are wanted: so one of any size can be looked
/// into, also where `ulimit -v` leaves few addresses. Immutable: any thread may call it.
class File {
 public:
  /// Throws NotFound, IoError (unreadable, no regular file, empty).
  static std::shared_ptr<const File> open(const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }  // bytes
  /// `length` bytes from `offset` on, which must lie in the file. Throws IoError.
  MappedBytes map(uint64_t offset, uint64_t length) const;

 private:
  File(std::string path, int fd, uint64_t size) : path_(std::move(path)), fd_(fd), size_(size) {}

  std::string path_;
  int fd_;
  uint64_t size_;
};

inline constexpr uint64_t kAnySize = UINT64_MAX;
/// What is no regular file may have no end, as /dev/zero: no more than this is read of it.
inline constexpr uint64_t kMostOfStream = uint64_t{1} << 30;

/// The whole content. Throws NotFound or IoError, also where there are more than `most` bytes, or of what is no regular
/// file more than kMostOfStream; and of a named pipe that nobody opens for writing within five seconds.
std::string read_file(const std::string& path, uint64_t most = kAnySize);

/// All of standard input. Throws IoError, as read_file() does.
std::string read_standard_input();

/// What a flag that takes a file names: read_file(), and read_standard_input() of "-".
std::string read_input(const std::string& path);

/// Of standard input, standard output and standard error those that are closed become such that every read and write
/// fails: so that no file that is opened later becomes one of them.
void occupy_standard_descriptors();

}  // namespace caravel
