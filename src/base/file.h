#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace caravel {

/// A whole file mapped read-only; the bytes live as long as the object. Immutable: any thread may read.
class MappedFile {
 public:
  /// Throws NotFound, IoError (unreadable, a directory, empty).
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  MappedFile(std::string path, std::span<const std::byte> bytes) : path_(std::move(path)), bytes_(bytes) {}

  std::string path_;
  std::span<const std::byte> bytes_;
};

/// The whole content. Throws NotFound or IoError.
std::string read_file(const std::string& path);

}  // namespace caravel
