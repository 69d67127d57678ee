#include "cli/chat_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"

namespace caravel::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ChatFiles : public testing::Test {
 protected:
  ~ChatFiles() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  std::string error_of(const std::string& name) const {
    try {
      load_messages(path(name));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const fs::path folder_ = [] {
    std::string name = (fs::temp_directory_path() / "chat_files_XXXXXX").string();
    return fs::path(::mkdtemp(name.data()));
  }();
};

const Json kMessages = Json::parse(R"([{"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Grüße\n\"世界\""},
    {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}])");

TEST_F(ChatFiles, WhatIsSavedIsLoaded) {
  save_messages(path("talk.json"), kMessages);
  EXPECT_EQ(kMessages, load_messages(path("talk.json")));
  Json longer = kMessages;
  longer.push_back({{"role", "user"}, {"content", std::string(5000, 'x')}});
  save_messages(path("talk.json"), longer);
  save_messages(path("talk.json"), kMessages);  // in place of what was there
  EXPECT_EQ(kMessages, load_messages(path("talk.json")));
  EXPECT_EQ(1, std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
}

TEST_F(ChatFiles, AnythingButAConversationIsNotOverwritten) {
  for (const char* other : {R"({"type": "object"})", "[1, 2]", "notes"}) {
    write("person.json", other);
    EXPECT_THROW(save_messages(path("person.json"), kMessages), InvalidArgument);
    EXPECT_EQ(other, read_file(path("person.json")));
  }
  for (const char* empty : {"", "[]"}) {
    write("person.json", empty);
    save_messages(path("person.json"), kMessages);
    EXPECT_EQ(kMessages, load_messages(path("person.json")));
  }
}

TEST_F(ChatFiles, AShellsQuotesAreNoPartOfAName) {
  EXPECT_EQ("a b.json", unquoted("\"a b.json\""));
  EXPECT_EQ("a b.json", unquoted("'a b.json'"));
  EXPECT_EQ("\"a", unquoted("\"a"));
  EXPECT_EQ("''", unquoted("''"));
}

TEST_F(ChatFiles, WhatIsNoTextIsSavedAllTheSame) {
  save_messages(path("talk.json"), Json::array({{{"role", "user"}, {"content", "a\xff"}}}));
  EXPECT_EQ("a\xEF\xBF\xBD", load_messages(path("talk.json"))[0]["content"]);
}

TEST_F(ChatFiles, ErrorsNameTheFile) {
  EXPECT_THAT(error_of("none.json"), HasSubstr("none.json: no such file"));
  EXPECT_THAT(error_of(""), HasSubstr("is a directory"));
  write("broken.json", "[{");
  write("other.json", R"({"model": "x"})");
  write("role.json", R"([{"role": "pirate", "content": "Arr"}])");
  write("empty.json", "[]");
  for (const char* name : {"broken.json", "other.json", "role.json", "empty.json"}) {
    EXPECT_THAT(error_of(name), HasSubstr(path(name) + ": "));
    EXPECT_EQ(std::string::npos, error_of(name).find('\n'));
  }
  EXPECT_THAT(error_of("other.json"), HasSubstr("is no conversation"));
  EXPECT_THROW(save_messages(path("no/folder.json"), kMessages), IoError);
  EXPECT_THROW(save_messages(folder_.string(), kMessages), IoError);
}

TEST_F(ChatFiles, TheTildeIsTheHomeDirectory) {
  ::setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ("/home/somebody/talk.json", expand_home("~/talk.json"));
  EXPECT_EQ("~other/talk.json", expand_home("~other/talk.json"));
  EXPECT_EQ("a~/b", expand_home("a~/b"));
}

TEST_F(ChatFiles, PathsAreCompletedWithTheirSpaces) {
  write("my talk.json", "");
  write("my.json", "");
  write(".hidden", "");
  fs::create_directory(path("my folder"));
  EXPECT_THAT(paths_beginning(path("my ")), ElementsAre(path("my folder/"), path("my talk.json")));
  EXPECT_EQ(3U, paths_beginning(folder_.string() + "/").size());
  EXPECT_THAT(paths_beginning(path(".h")), ElementsAre(path(".hidden")));
  EXPECT_TRUE(paths_beginning(path("none/")).empty());
}

TEST_F(ChatFiles, TheEditorIsAShellsCommandAndItsFailureIsSaid) {
  write("edit me", "#!/bin/sh\ntest \"$1\" = -x && cat \"$2\" > \"${0%/*}/seen\" && printf 'new\\ntext\\n' > \"$2\"\n");
  ::chmod(path("edit me").c_str(), 0755);
  ::setenv("EDITOR", "false", 1);
  ::setenv("VISUAL", ("'" + path("edit me") + "' -x").c_str(), 1);
  EXPECT_EQ("new\ntext\n", compose("old text"));
  EXPECT_EQ("old text\n", read_file(path("seen")));
  ::unsetenv("VISUAL");
  EXPECT_THROW(compose(""), IoError);
}

}  // namespace
}  // namespace caravel::cli
