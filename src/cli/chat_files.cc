#include "cli/chat_files.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "chat/conversation.h"
#include "cli/output_file.h"

namespace caravel::cli {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostOfConversation = uint64_t{64} << 20;  // bytes; a model's context holds far less

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// One word of a shell's command.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

/// It holds messages, or nothing.
bool may_be_replaced(const std::string& path) {
  const std::string text = read_file(path, kMostOfConversation);
  if (text.empty()) return true;
  try {
    chat::parse_messages(parse_json(text), "messages");
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// A file of our own, gone with this object.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    std::error_code error;
    const fs::path folder = fs::temp_directory_path(error);
    if (error) throw fail<IoError>("no folder for temporary files: {}; set TMPDIR", error.message());
    constexpr std::string_view kSuffix = ".md";
    path_ = (folder / "caravel-XXXXXX").string().append(kSuffix);
    const int fd = ::mkstemps(path_.data(), static_cast<int>(kSuffix.size()));
    if (fd < 0) throw fail<IoError>("{}: cannot write: {}; TMPDIR says where else", path_, std::strerror(errno));
    ::close(fd);
    OutputFile(path_).write(content);
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

std::string expand_home(const std::string& path) {
  const std::string home = environment("HOME");
  return !home.empty() && (path == "~" || path.starts_with("~/")) ? home + path.substr(1) : path;
}

std::vector<std::string> paths_beginning(const std::string& begun) {
  const size_t name = begun.rfind('/') + 1;  // 0 where there is no slash
  const std::string folder = begun.substr(0, name);
  std::vector<std::string> paths;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : expand_home(folder), error)) {
    const std::string path = folder + entry.path().filename().string();
    if (!path.starts_with(begun) || (path[name] == '.' && begun.size() == name)) continue;
    paths.push_back(path + (entry.is_directory(error) ? "/" : ""));
  }
  std::ranges::sort(paths);
  return paths;
}

std::string unquoted(const std::string& path) {
  const bool is_quoted =
      path.size() > 2 && path.front() == path.back() && (path.front() == '"' || path.front() == '\'');
  return is_quoted ? path.substr(1, path.size() - 2) : path;
}

void save_messages(const std::string& path, const Json& messages) {
  const std::string text = messages.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  std::error_code error;
  if (fs::is_regular_file(path, error)) {
    if (!may_be_replaced(path)) {
      throw fail<InvalidArgument>(
          "{}: is there and is no saved conversation; give another name, or remove the file first", path);
    }
    replace_file(path, text);
  } else {
    OutputFile(path).write(text);
  }
}

Json load_messages(const std::string& path) {
  const std::string text = read_file(path, kMostOfConversation);
  Json messages;
  try {
    messages = parse_json(text);
    if (!messages.is_array()) {
      throw InvalidArgument(R"(is no conversation, a list such as [{"role": "user", "content": "Hi"}])");
    }
    messages = chat::parse_messages(messages, "messages");
  } catch (const Error& error) {
    throw fail<InvalidArgument>("{}: {}", path, error.what());
  }
  if (messages.empty()) throw fail<InvalidArgument>("{}: there is no message in it", path);
  return messages;
}

std::string compose(const std::string& text) {
  std::string editor = environment("VISUAL");
  if (editor.empty()) editor = environment("EDITOR");
  if (editor.empty()) editor = "vi";
  const TemporaryFile file(text.empty() ? text : text + "\n");
  // As git does it: the variable is a shell's text, which may have arguments. std::system() keeps ctrl-C from us.
  const int status = std::system((editor + " " + shell_word(file.path())).c_str());
  if (status != 0) {
    throw fail<IoError>("the editor '{}' failed ({}); nothing is sent. VISUAL or EDITOR names another one", editor,
                        WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status)) : "it was ended");
  }
  return read_file(file.path(), kMostOfConversation);
}

}  // namespace caravel::cli
