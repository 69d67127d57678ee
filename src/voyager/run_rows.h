#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "voyager/environment.h"
#include "voyager/model.h"

namespace caravel::voyager {

// What a run's record holds (voyager/run_store.h), as plain values.

/// One question to a model, with its answer.
struct CallRow {
  int64_t number = 0;  // from 1, in the order of the run
  int64_t iteration = 0;
  std::string model;
  ModelRequest request;
  ModelAnswer answer;
};

/// One text that a vector was made of.
struct EmbeddingRow {
  int64_t number = 0;  // counts with the calls
  int64_t iteration = 0;
  std::string model;
  std::string text;
  std::vector<float> vector;
};

/// One round: code that was written, and what came of it.
struct StepRow {
  int64_t iteration = 0;
  int round = 0;                          // from 1
  std::string code;                       // as it was run; empty: the answer held none
  std::string main;                       // its function
  std::vector<std::string> skills_shown;  // NAME of each skill that the prompt showed
  std::vector<std::string> skills_used;   // of the library, which the code calls
  std::vector<Event> events;
  std::optional<CodeError> error;  // of parsing too: it was not run then
  Observation before, after;
  std::optional<bool> judged;   // the critic's word; nothing: there was none
  std::string critique;         // and what it advised
  std::optional<bool> checked;  // the world's own
};

/// One task, from its proposal to its end.
struct IterationRow {
  int64_t number = 0;  // from 1
  std::string task;
  std::string context;  // what the curriculum said of how it is done
  std::string reason;   // why it was proposed
  bool success = false;
  int rounds = 0;     // when it has ended; 0: it goes on
  std::string skill;  // what was kept of it, NAME; empty: nothing
  int skill_version = 0;

  bool has_ended() const { return rounds > 0; }
};

/// A question about the world that was answered, and is not asked again.
struct QuestionRow {
  std::string question;
  std::string answer;
  std::vector<float> vector;  // of the question; empty: it is known again by its words alone
  int64_t iteration = 0;
};

/// The first time that an item was held.
struct ItemRow {
  std::string name;
  int64_t iteration = 0;
  int64_t tick = 0;
};

/// What the calls of a run took, all together.
struct RunTotals {
  int64_t calls = 0;  // of chats; embeddings are not counted
  int64_t prompt_tokens = 0, completion_tokens = 0;
  bool counted = true;  // all tokens are the models' own counts
  double cost = 0;
  double seconds = 0;  // that the models took

  void add(const ModelAnswer& answer);
};

/// Versions are kept, never overwritten.
struct SkillRow {
  std::string name;
  int version = 1;
  std::string code;
  std::string description;
  std::vector<float> embedding;   // of the description
  std::vector<std::string> uses;  // skills that its code calls
  int64_t iteration = 0;          // that learnt it; 0: it was there from the start
};

}  // namespace caravel::voyager
