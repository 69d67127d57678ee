#include "voyager/written_file.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace caravel::voyager {

void remove_link(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::is_symlink(path, unknown)) std::filesystem::remove(path, unknown);
}

void write_file(const std::string& path, std::string_view content) {
  remove_link(path);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw fail<IoError>("{}: cannot write: {}", path, std::strerror(errno));
}

void make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw fail<IoError>("{}: cannot make the folder: {}", path, error.message());
}

void remove_unfinished_files(const std::string& folder) {
  namespace fs = std::filesystem;
  constexpr std::string_view kBeginning = ".caravel-";
  constexpr size_t kIdSize = 24;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kBeginning) || name.size() != kBeginning.size() + kIdSize) continue;
    const auto is_of_id = [](unsigned char c) { return std::isalnum(c) != 0; };
    std::error_code unknown;
    if (std::all_of(name.begin() + kBeginning.size(), name.end(), is_of_id) &&
        fs::is_regular_file(entry->symlink_status(unknown)))
      fs::remove(entry->path(), unknown);
  }
}

}  // namespace caravel::voyager
