#pragma once

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/expert_table.h"
#include "kernels/op_testing.h"

namespace caravel::kernels {

/// A table in memory of its own that nothing was written to.
class TableOnDevice {
 public:
  TableOnDevice(Stream& stream, int64_t tokens, const RouterRule& rule)
      : stream_(stream),
        memory_(unwritten(stream, expert_table_bytes(tokens, rule))),
        table_(expert_table(memory_.data(), tokens, rule)) {}
  /// Of tokens whose choice is given, [tokens, per_token], sorted.
  TableOnDevice(Stream& stream, const std::vector<int32_t>& chosen, const std::vector<float>& weights, int experts,
                int per_token)
      : TableOnDevice(stream, static_cast<int64_t>(chosen.size()) / per_token,
                      {.experts = experts, .per_token = per_token}) {
    const Buffer chosen_there = upload<int32_t>(stream, chosen);
    const Buffer weights_there = upload<float>(stream, weights);
    stream.copy(table_.chosen, chosen_there.address(), chosen.size() * sizeof(int32_t));
    stream.copy(table_.weights, weights_there.address(), weights.size() * sizeof(float));
    sort_by_expert(stream, table_);
    stream.synchronize();
  }

  const ExpertTable& table() const { return table_; }
  std::vector<int32_t> chosen() const { return all(table_.chosen); }
  std::vector<float> weights() const { return all(table_.weights); }
  std::vector<int32_t> rows() const { return all(table_.rows); }
  std::vector<int32_t> row_token() const { return all(table_.row_token); }
  std::vector<int32_t> row_begin() const {
    return download(stream_, table_.row_begin, static_cast<size_t>(table_.experts) + 1);
  }

 private:
  template <typename T>
  std::vector<T> all(const T* from) const {
    return download(stream_, from, static_cast<size_t>(table_.row_count()));
  }

  Stream& stream_;
  DeviceArray<std::byte> memory_;
  ExpertTable table_;
};

/// [tokens, per_token]: each token's ascending, each once; low experts far more often, some never.
inline std::vector<int32_t> random_choice(int64_t tokens, int experts, int per_token, unsigned seed) {
  std::mt19937 random(seed + test_seed());
  std::vector<int32_t> chosen;
  std::vector<int32_t> order(static_cast<size_t>(experts));
  for (int64_t t = 0; t < tokens; ++t) {
    std::iota(order.begin(), order.end(), 0);
    for (size_t k = 0; k < static_cast<size_t>(per_token); ++k) {
      const double place = std::uniform_real_distribution<double>(0, 1)(random);
      const size_t left = order.size() - k;
      std::swap(order[k],
                order[k + std::min(left - 1, static_cast<size_t>(place * place * static_cast<double>(left)))]);
    }
    std::sort(order.begin(), order.begin() + per_token);
    chosen.insert(chosen.end(), order.begin(), order.begin() + per_token);
  }
  return chosen;
}

}  // namespace caravel::kernels
