#include "cli/chat_commands.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace caravel::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ChatCommandsTest : public testing::Test {
 protected:
  std::string error_of(const std::string& text) const {
    try {
      commands_.run(text);
    } catch (const InvalidArgument& error) {
      return error.what();
    }
    return "";
  }

  std::vector<std::string> said_;
  const ChatCommands commands_ = ChatCommands(std::vector<ChatCommand>{
      {"/reset", "", "forget", [this](const std::string&) { said_.emplace_back("reset"); }},
      {"/system", "[TEXT]", "begin", [this](const std::string& text) { said_.push_back(text); }},
      {"/save", "FILE", "write", [this](const std::string& file) { said_.push_back(file); },
       [](const std::string& begun) { return beginning_with(begun, {"a b.json", "a c.json", "z"}); }},
      {"/bye", "", "", [this](const std::string&) { said_.emplace_back("bye"); }},
  });
};

TEST_F(ChatCommandsTest, APathOrACommentIsNoCommand) {
  for (const char* text : {"/reset", "/", "/sytem You are a pirate", "/etc", "/save\na", "/?"}) {
    EXPECT_TRUE(ChatCommands::is_command(text)) << text;
  }
  for (const char* text :
       {"/etc/hosts", "/etc/hosts is what?", "/* a comment */", "//", "/^a+$/", "/usr.", " /reset", ""}) {
    EXPECT_FALSE(ChatCommands::is_command(text)) << text;
  }
}

TEST_F(ChatCommandsTest, TheArgumentIsAllThatStandsBehindTheName) {
  commands_.run("/system");
  commands_.run("/system  You are\n  two lines.");
  commands_.run("/save my talk.json");
  commands_.run("/bye");
  EXPECT_THAT(said_, ElementsAre("", "You are\n  two lines.", "my talk.json", "bye"));
}

TEST_F(ChatCommandsTest, WhatIsNoCommandIsNamedWithTheNearest) {
  EXPECT_THAT(error_of("/sytem You are"), HasSubstr("no command is called '/sytem'; the nearest is '/system'"));
  EXPECT_THAT(error_of("/zebra"), Not(HasSubstr("nearest")));
  EXPECT_THAT(error_of("/"), HasSubstr("/help lists them"));
  EXPECT_THAT(error_of("/reset now"), HasSubstr("/reset takes nothing"));
  EXPECT_THAT(error_of("/save"), HasSubstr("Give /save FILE"));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(ChatCommandsTest, HelpAndCompletionLeaveOtherNamesOut) {
  EXPECT_THAT(commands_.help(), HasSubstr("/save FILE"));
  EXPECT_THAT(commands_.help(), Not(HasSubstr("/bye")));
  EXPECT_THAT(commands_.complete("/s").candidates, ElementsAre("/system ", "/save "));
  EXPECT_THAT(commands_.complete("/re").candidates, ElementsAre("/reset"));
  EXPECT_THAT(commands_.complete("/b").candidates, IsEmpty());
  EXPECT_THAT(commands_.complete("hello /s").candidates, IsEmpty());
}

TEST_F(ChatCommandsTest, AnArgumentIsCompletedFromItsBeginningOn) {
  const TabOffer completion = commands_.complete("/save a b");
  EXPECT_EQ(6U, completion.begin);
  EXPECT_THAT(completion.candidates, ElementsAre("a b.json"));
  EXPECT_EQ(3U, commands_.complete("/save ").candidates.size());
  EXPECT_THAT(commands_.complete("/system x").candidates, IsEmpty());
}

}  // namespace
}  // namespace caravel::cli
