#include "server/web/assets.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "fixtures.h"

namespace caravel::server::web {
namespace {

const std::filesystem::path kPages = tests::source_dir() + "/src/server/web/pages";

std::string read(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

TEST(Assets, AreTheFilesAsTheyAre) {
  const std::pair<const char*, const char*> cases[] = {
      {"/", "chat.html"}, {"/dashboard", "dashboard.html"}, {"/web/chat.js", "chat.js"}, {"/web/icon.svg", "icon.svg"}};
  for (const auto& [path, file] : cases) {
    const Asset* asset = find_asset(path);
    ASSERT_NE(asset, nullptr) << path;
    EXPECT_EQ(asset->bytes, read(kPages / file));
    EXPECT_TRUE(std::regex_match(std::string(asset->etag), std::regex("\"[0-9a-f]{16}\""))) << asset->etag;
  }
  EXPECT_EQ(find_asset("/")->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(find_asset("/web/chat.js")->content_type, "text/javascript; charset=utf-8");
  for (const char* path : {"", "/web/", "/web/chat.html", "/web/../chat.js", "/chat", "/web/none.js"}) {
    EXPECT_EQ(find_asset(path), nullptr) << path;
  }
}

TEST(Assets, WhatThePagesNameIsThereAndNothingLiesElsewhere) {
  // The policy that the pages are served with allows no script or style in the page itself.
  const std::regex inline_code("<script>|<style| style=| on[a-z]+=");
  const std::regex reference("(?:src|href)=\"([^\"#][^\"]*)\"|from \"\\./([^\"]+)\"");
  int references = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kPages)) {
    const std::string text = read(entry.path());
    EXPECT_FALSE(entry.path().extension() == ".html" && std::regex_search(text, inline_code)) << entry.path();
    for (std::sregex_iterator match(text.begin(), text.end(), reference), end; match != end; ++match) {
      const std::string path = (*match)[1].matched ? (*match)[1].str() : "/web/" + (*match)[2].str();
      EXPECT_NE(find_asset(path), nullptr) << entry.path() << " names " << path;
      ++references;
    }
  }
  EXPECT_GT(references, 20);
}

}  // namespace
}  // namespace caravel::server::web
