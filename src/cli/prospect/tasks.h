#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/npy.h"
#include "nuggets/read_rows.h"

namespace caravel::cli {

/// How the predefined tasks are chosen from rows, as flags.
struct TaskChoice {
  int64_t kmeans = 0;  // so many by k-means over embeddings; 0: not by it
  int64_t random = 0;  // so many at random; 0: not so

  void add_to(CLI::App& command);
};

/// Where rows' embeddings come from, as flags.
struct EmbeddingOptions {
  std::string model = "minilm";
  std::string file;  // .npy, instead of a model; empty: none
  int threads = 0;   // 0: the processors that this process may use

  void add_to(CLI::App& command);
};

/// Which rows become tasks: indices, ascending. Throws as Engine::open() and read_npy() do, and InvalidArgument where
/// the embeddings are not one a row.
std::vector<size_t> choose_tasks(const nuggets::RowFile& rows, const TaskChoice& choice,
                                 const EmbeddingOptions& embeddings, uint64_t seed);

/// One embedding a row, of length 1: of what the row asks and answers, where a model makes them. Throws as
/// choose_tasks() does.
NpyMatrix row_embeddings(const nuggets::RowFile& rows, const EmbeddingOptions& options);

}  // namespace caravel::cli
