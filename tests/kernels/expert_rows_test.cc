#include "kernels/expert_rows.h"

#include "kernels/expert_table_rig.h"
#include "kernels/normed_rig.h"
#include "kernels/product_rows.h"
#include "kernels/ref/expert_rows.h"

namespace caravel::kernels {
namespace {

constexpr int kExperts = 9;
constexpr int kPerToken = 3;

TEST(SpreadRows, ARowIsWhatItsTokenGivesAlone) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    Stream& stream = *machine.stream;
    for (const InputForm form : input_forms(machine.device)) {
      for (const int64_t tokens : {1, 20}) {
        const int64_t width = form == InputForm::kF32 ? 37 : 96;
        SCOPED_TRACE(testing::Message() << "form " << static_cast<int>(form) << ", tokens " << tokens);
        const std::vector<float> x = random_normal(tokens * width, 1);
        const std::vector<int32_t> chosen = random_choice(tokens, kExperts, kPerToken, 2);
        const TableOnDevice table(stream, chosen, std::vector<float>(chosen.size()), kExperts, kPerToken);
        std::vector<float> gathered;
        for (const int32_t t : table.row_token()) {
          gathered.insert(gathered.end(), x.begin() + t * width, x.begin() + (t + 1) * width);
        }
        const DeviceArray x_there(stream, x);
        const FormedRows want(stream, form, gathered, width);
        const FormedRows got(stream, form, tokens * kPerToken, width);
        spread_rows(stream, {.x = f32_tensor(x_there.data(), tokens, width), .table = table.table(), .out = got.rows});
        EXPECT_EQ(got.memory.values(), want.memory.values());
      }
    }
  });
}

struct Join {
  std::vector<float> rows, weights, shared, gate, before;
  std::vector<int32_t> chosen;
  int64_t tokens, width;

  Join(int64_t token_count, int64_t row_width)
      : rows(random_normal(token_count * kPerToken * row_width, 1)),
        weights(random_normal(token_count * kPerToken, 2)),
        shared(random_normal(token_count * row_width, 3)),
        gate(random_normal(token_count, 4, 3.0F)),
        before(random_normal(token_count * row_width, 5)),
        chosen(random_choice(token_count, kExperts, kPerToken, 6)),
        tokens(token_count),
        width(row_width) {}

  /// Of what is not empty.
  std::vector<float> run(Stream& stream, bool with_shared, bool with_gate, bool accumulate) const {
    const TableOnDevice table(stream, chosen, weights, kExperts, kPerToken);
    const ProductRows rows_there(stream, rows, width);
    const ProductRows shared_there(stream, shared, width);
    const DeviceArray gate_there(stream, gate);
    const DeviceArray out(stream, before);
    join_rows(stream, {.rows = rows_there.tensor(),
                       .table = table.table(),
                       .shared = with_shared ? shared_there.tensor() : Tensor{},
                       .shared_gate = with_gate ? f32_tensor(gate_there.data(), tokens, 1) : Tensor{},
                       .accumulate = accumulate,
                       .out = f32_tensor(out.data(), tokens, width)});
    return out.values();
  }
};

TEST(JoinRows, AgreesWithTheOracle) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 3);
    Stream& stream = *machine.stream;
    for (const auto& [tokens, width] : {std::pair{1, 5}, {1, 2048}, {7, 1029}, {40, 33}}) {
      const Join join(tokens, width);
      const TableOnDevice table(stream, join.chosen, join.weights, kExperts, kPerToken);
      for (int with = 0; with < 6; ++with) {
        SCOPED_TRACE(testing::Message() << tokens << " tokens of " << width << ", with " << with);
        const bool with_shared = with % 3 > 0;
        const bool with_gate = with % 3 > 1;
        const bool accumulate = with >= 3;
        const std::vector<float> none;
        const std::vector<float> rows = as_products(machine.device, join.rows);
        const std::vector<float> shared = as_products(machine.device, join.shared);
        expect_close(join.run(stream, with_shared, with_gate, accumulate),
                     ref::join_rows(rows, width, join.weights, table.rows(), kPerToken, with_shared ? shared : none,
                                    with_gate ? join.gate : none, accumulate ? join.before : none),
                     64 * kRounding, 8 * kRounding);
      }
    }
  });
}

// One order for a token, whoever else is there: of numbers that no two orders add alike.
TEST(JoinRows, ATokensSumIsItsOwn) {
  for_each_isa([](Isa isa) {
    const Join all(19, 1031);
    Machine machine(isa, 1);
    const std::vector<float> together = all.run(*machine.stream, true, true, true);
    for (const int threads : {2, 5}) {
      Machine more(isa, threads);
      expect_same_bits(all.run(*more.stream, true, true, true), together);
    }
    const TableOnDevice table(*machine.stream, all.chosen, all.weights, kExperts, kPerToken);
    const std::vector<int32_t> places = table.rows();
    for (int64_t t = 0; t < all.tokens; ++t) {
      Join alone(1, all.width);
      alone.rows.clear();  // its own, in the order of experts
      for (int64_t k = t * kPerToken; k < (t + 1) * kPerToken; ++k) {
        const auto row = all.rows.begin() + places[static_cast<size_t>(k)] * all.width;
        alone.rows.insert(alone.rows.end(), row, row + all.width);
      }
      const auto part = [&](const auto& values, int64_t each) {
        return std::vector(values.begin() + t * each, values.begin() + (t + 1) * each);
      };
      alone.chosen = part(all.chosen, kPerToken);
      alone.weights = part(all.weights, kPerToken);
      alone.shared = part(all.shared, all.width);
      alone.gate = part(all.gate, 1);
      alone.before = part(all.before, all.width);
      expect_same_bits(alone.run(*machine.stream, true, true, true), part(together, all.width));
    }
  });
}

TEST(JoinRows, ANormBehindIsWhatOneOfItsOwnGives) {
  for_each_isa([](Isa isa) {
    Machine machine(isa, 2);
    Stream& stream = *machine.stream;
    for (const DType reader : {DType::kF32, DType::kBF16}) {
      for (const auto& [tokens, width] : {std::pair{1, 2048}, {11, 1027}, {3, 40}, {2, 4136}}) {
        SCOPED_TRACE(testing::Message() << dtype_info(reader).name << ", " << tokens << " tokens of " << width);
        const Join join(tokens, width);
        const TableOnDevice table(stream, join.chosen, join.weights, kExperts, kPerToken);
        const ProductRows rows(stream, join.rows, width);
        const Normed fused(stream, reader, join.before, width);
        const Normed apart(stream, reader, join.before, width);
        fused.norm(1);  // nothing needs to be ready
        JoinRowsArgs args = {.rows = rows.tensor(), .table = table.table(), .accumulate = true, .out = fused.rows()};
        args.next = fused.next(0);
        join_rows(stream, args);
        args.out = apart.rows();
        args.next = {};
        join_rows(stream, args);
        apart.norm(0);
        expect_same_bits(fused.residual.values(), apart.residual.values());
        expect_same_bits(fused.read(0), apart.read(0));
      }
    }
  });
}

}  // namespace
}  // namespace caravel::kernels
