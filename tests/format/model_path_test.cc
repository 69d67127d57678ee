#include "format/model_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "expect_error.h"
#include "temp_folder.h"

namespace caravel::format {
namespace {

// Every variable that resolve_model looks at, unset but for a home in a folder of the test's own.
class ModelPath : public testing::Test {
 protected:
  ModelPath() {
    for (const char* name : {"CARAVEL_CACHE", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HOME"}) {
      const char* value = std::getenv(name);
      before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      ::unsetenv(name);
    }
    set("HOME", home_.path().string());
  }
  ~ModelPath() override {
    for (const auto& [name, value] : before_) {
      if (value) {
        set(name.c_str(), *value);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  TempFolder home_;
  std::map<std::string, std::optional<std::string>> before_;
};

TEST_F(ModelPath, TheCacheIsWhereTheEnvironmentSays) {
  EXPECT_EQ(cache_directory(), home_.path() / ".cache/caravel");
  set("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(cache_directory(), "/xdg/caravel");
  set("CARAVEL_CACHE", "/models");
  EXPECT_EQ(cache_directory(), "/models");
}

TEST_F(ModelPath, APathThatExistsIsTaken) {
  const std::string file = home_.write("any.gguf", "x");
  EXPECT_EQ(resolve_model(file), file);
  EXPECT_EQ(resolve_model(home_.path().string()), home_.path());
}

TEST_F(ModelPath, KnownNamesAndTheDefault) {
  expect_error<NotFound>("scripts/fetch_model smollm2, in the folder of Caravel's sources, fetches smollm2",
                         [] { resolve_model(""); });
  expect_error<NotFound>("sources, fetches gemma3-270m; hf download org/name", [] { resolve_model("gemma3-270m"); });
  const std::string file = home_.write(".cache/caravel/SmolLM2-135M-Instruct.Q4_1.gguf", "x");
  EXPECT_EQ(resolve_model(""), file);
  EXPECT_EQ(resolve_model("smollm2"), file);
  const std::string gemma = home_.write(".cache/caravel/gemma-3-270m-q4_k_m.gguf", "x");
  EXPECT_EQ(resolve_model("gemma3-270m"), gemma);
}

TEST_F(ModelPath, FilesOfTheCacheWithOrWithoutTheirEnding) {
  const std::string file = home_.write(".cache/caravel/mine.gguf", "x");
  EXPECT_EQ(resolve_model("mine"), file);
  EXPECT_EQ(resolve_model("mine.gguf"), file);
}

TEST_F(ModelPath, HuggingFacesCacheByOrganisationAndName) {
  const std::string hub = ".cache/huggingface/hub/models--org--name/";
  home_.write(hub + "refs/main", "abc123\n");
  home_.write(hub + "snapshots/abc123/config.json", "{}");
  home_.write(hub + "snapshots/old/config.json", "{}");
  EXPECT_EQ(resolve_model("org/name"), home_.path() / (hub + "snapshots/abc123"));
  home_.write("elsewhere/models--o--n/refs/main", "c");
  home_.write("elsewhere/models--o--n/snapshots/c/config.json", "{}");
  set("HF_HUB_CACHE", (home_.path() / "elsewhere").string());
  EXPECT_EQ(resolve_model("o/n"), home_.path() / "elsewhere/models--o--n/snapshots/c");
}

TEST_F(ModelPath, ASnapshotOfGgufFilesIsItsOnlyOne) {
  const std::string hub = ".cache/huggingface/hub/models--o--g/";
  home_.write(hub + "refs/main", "c");
  const std::string file = home_.write(hub + "snapshots/c/m.gguf", "x");
  EXPECT_EQ(resolve_model("o/g"), file);
  home_.write(hub + "snapshots/c/n.gguf", "x");
  expect_error<InvalidArgument>("o/g has several GGUF files: m.gguf, n.gguf; name the type of one",
                                [] { resolve_model("o/g"); });
}

TEST_F(ModelPath, ATypeChoosesAmongGgufFiles) {
  const std::string hub = ".cache/huggingface/hub/models--o--g/";
  home_.write(hub + "refs/main", "c");
  home_.write(hub + "snapshots/c/config.json", "{}");
  const std::string q4_1 = home_.write(hub + "snapshots/c/Model-Q4_1.gguf", "x");
  const std::string q4_k_m = home_.write(hub + "snapshots/c/Model.IQ-q4_k_m.gguf", "x");
  home_.write(hub + "snapshots/c/Model-IQ4_1.gguf", "x");
  const std::string split = home_.write(hub + "snapshots/c/Q8_0/Model-Q8_0-00001-of-00002.gguf", "x");
  home_.write(hub + "snapshots/c/Q8_0/Model-Q8_0-00002-of-00002.gguf", "x");
  EXPECT_EQ(resolve_model("o/g:Q4_1"), q4_1);
  EXPECT_EQ(resolve_model("o/g:q4_1"), q4_1);
  EXPECT_EQ(resolve_model("hf.co/o/g:Q4_K_M"), q4_k_m);
  EXPECT_EQ(resolve_model("o/g:Q8_0"), split);
  EXPECT_EQ(resolve_model("o/g"), home_.path() / (hub + "snapshots/c"));
  expect_error<NotFound>("o/g has no GGUF file of the type Q4_K in ", [] { resolve_model("o/g:Q4_K"); });
  expect_error<NotFound>("there is Model-IQ4_1.gguf, Model-Q4_1.gguf, Model.IQ-q4_k_m.gguf, Q8_0/Model",
                         [] { resolve_model("o/g:Q2_K"); });
  expect_error<NotFound>("hf download o/g --include '*Q2_K*' gets it", [] { resolve_model("o/g:Q2_K"); });
}

TEST_F(ModelPath, SaysWhereItLookedAndClimbsNowhere) {
  expect_error<NotFound>("no model none: not a path, not in " + (home_.path() / ".cache/caravel").string(),
                         [] { resolve_model("none"); });
  home_.write(".cache/huggingface/hub/refs/main", "x");
  for (const char* odd : {"..", ".", "../x", "a/..", "/", "a/", "/nonexistent/model", "a/b/c"}) {
    if (std::filesystem::exists(odd)) continue;  // a path of this machine
    EXPECT_THROW(resolve_model(odd), NotFound) << odd;
  }
}

TEST_F(ModelPath, ANameOfTheHubSaysHowToGetIt) {
  const std::string hub = (home_.path() / ".cache/huggingface/hub").string();
  expect_error<NotFound>(
      "no model org/none: it is no path, and not in the Hub's cache, " + hub + "; get it: hf download org/none",
      [] { resolve_model("org/none"); });
  expect_error<NotFound>("hf download org/none --include '*Q4_K_M*'", [] { resolve_model("org/none:Q4_K_M"); });
  expect_error<NotFound>("get it: hf download org/none", [] { resolve_model("https://huggingface.co/org/none"); });
  expect_error<NotFound>("addresses are not fetched: hf download",
                         [] { resolve_model("https://example.com/model.gguf"); });
  home_.write(".cache/huggingface/hub/models--org--half/refs/main", "c");
  expect_error<NotFound>("has no whole model; go on: hf download org/half", [] { resolve_model("org/half"); });
  expect_error<NotFound>("the nearest is 'org/half'", [] { resolve_model("org/hlaf"); });
}

TEST_F(ModelPath, ANearMissIsSuggested) {
  expect_error<NotFound>("the nearest is 'smollm2'", [] { resolve_model("smolml2"); });
  expect_error<NotFound>("the nearest is 'smollm2'", [] { resolve_model("SmolLM"); });
  home_.write(".cache/caravel/mine-7b.gguf", "x");
  expect_error<NotFound>("the nearest is 'mine-7b'", [] { resolve_model("mine-8b"); });
  const std::string file = home_.write("models/llama-q4.gguf", "x");
  home_.write("models/llama-q5.txt", "x");
  expect_error<NotFound>("there is no such file or folder; the nearest is '" + file + "'",
                         [&] { resolve_model((home_.path() / "models/llama-q5.gguf").string()); });
}

TEST_F(ModelPath, NamesThatAModelMayHave) {
  EXPECT_THAT(model_names(), testing::IsEmpty());
  for (const char* name : {"SmolLM2-135M-Instruct.Q4_1.gguf", "split-00001-of-00002.gguf", "split-00002-of-00002.gguf",
                           "notes.txt", "folder/config.json"}) {
    home_.write(std::string(".cache/caravel/") + name, "x");
  }
  home_.write(".cache/huggingface/hub/models--org--name/refs/main", "c");
  EXPECT_THAT(model_names(), testing::ElementsAre("smollm2", "folder", "org/name", "split-00001-of-00002"));
}

}  // namespace
}  // namespace caravel::format
