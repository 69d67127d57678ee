// An engine through include/caravel alone, as a program that embeds it has it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "caravel/engine.h"
#include "caravel/monitor.h"
#include "fixtures.h"

namespace {

using caravel::Engine;
using testing::HasSubstr;

const std::string kModel = caravel::tests::fixtures() + "/models/llama";

std::unique_ptr<Engine> open_engine() {
  return Engine::open({.model = kModel,
                       .threads = 1,
                       .isa = caravel::CpuIsa::kPortable,
                       .kv_cache_memory = 8 << 20,
                       .kv_cache_dtype = caravel::KvCacheDtype::kInt8,
                       .chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"});
}

caravel::Request request_of(const std::string& text) {
  return {.prompt = text, .sampling = {.max_tokens = 12, .ignore_eos = true}};
}

TEST(Embedder, StreamsAnAnswer) {
  const auto engine = open_engine();
  const auto request = engine->submit(request_of("Once upon a time"));
  std::string text;
  while (const auto next = request->next()) text += next->text;
  EXPECT_EQ(text, request->result().completions.at(0).text);
  EXPECT_EQ(request->result().usage.completion_tokens, 12);
}

TEST(Embedder, OneThreadWaitsForManyRequestsOfEveryKind) {
  const auto engine = open_engine();
  std::mutex mutex;
  std::condition_variable changed;
  bool news = false;
  const caravel::OnNews on_news = [&] {
    const std::lock_guard lock(mutex);
    news = true;
    changed.notify_one();
  };
  const std::vector<int32_t> tokens = engine->tokenizer().encode("Some text");
  std::vector<std::unique_ptr<caravel::RequestHandle>> handles;
  handles.push_back(engine->submit(request_of("Once upon a time"), on_news));
  handles.push_back(engine->chat(
      {.messages = {{.role = "user", .content = "Hello"}}, .sampling = {.max_tokens = 5, .ignore_eos = true}},
      on_news));
  handles.push_back(engine->score({.items = {{tokens, {{5}, {6, 7}}}}, .background = true}, on_news));
  handles.push_back(engine->embed({.tokens = tokens}, on_news));
  size_t ended = 0;
  while (ended < handles.size()) {
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return news; });
      news = false;
    }
    ended = 0;
    for (const auto& handle : handles) {
      auto next = handle->poll();
      while (next) next = handle->poll();
      ended += next.ended() ? 1 : 0;
    }
  }
  for (const auto& handle : handles) EXPECT_EQ(handle->result().error, "");
  EXPECT_EQ(handles[1]->result().completions.at(0).content, handles[1]->result().completions.at(0).text);
  EXPECT_EQ(handles[2]->result().scores.at(0).at(1).tokens, (std::vector<int32_t>{6, 7}));
  EXPECT_EQ(handles[3]->result().embedding.size(), static_cast<size_t>(engine->model().hidden_size));
}

TEST(Embedder, ErrorsSayWhatToDo) {
  EXPECT_THROW(Engine::open({.model = "/no/such/model"}), caravel::NotFound);
  const auto engine = open_engine();
  try {
    engine->submit({.prompt = std::vector<int32_t>{}});
    FAIL();
  } catch (const caravel::InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("give at least one token"));
  }
  EXPECT_THROW(engine->chat({}), caravel::InvalidArgument);
}

TEST(Embedder, ATokenizerNeedsNoEngine) {
  const auto tokenizer = caravel::open_tokenizer(kModel);
  const auto engine = open_engine();
  EXPECT_EQ(tokenizer->encode("Some text"), engine->tokenizer().encode("Some text"));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("Some text", {.add_special = false})), "Some text");
  EXPECT_EQ(caravel::open_tokenizer(kModel)->vocab_size(), engine->model().vocab_size);
}

TEST(Embedder, MayLookInside) {
  const auto engine = open_engine();
  engine->submit(request_of("Once upon a time"))->result();
  engine->monitor().check_integrity();
  const caravel::EngineReport report = engine->monitor().report(0);
  EXPECT_EQ(report.stats.finished_requests, 1);
  EXPECT_FALSE(report.steps.empty());
}

}  // namespace
