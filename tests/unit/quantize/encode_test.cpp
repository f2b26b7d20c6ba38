// The encoders against llama.cpp's errors on the same weights (tests/data/quantize), decoded by
// quant, which is tested against the gguf package; and what every one of them has to keep.

#include "encoders/family.hpp"

#include "pillar/core/hash.hpp"
#include "pillar/quant/type.hpp"
#include "support/random.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace pillar;
using quant::Type;
using quantize::Family;
using support::Random;

std::vector<Type> encoded_types() {
    std::vector<Type> types;
    for (const Type type : quant::all_types)
        if (quantize::baseline_family.encoder(type) != nullptr) types.push_back(type);
    return types;
}

std::vector<std::byte> encoded(Type type, const std::vector<float>& x, const float* importance,
                               const Family& family = quantize::best_family()) {
    const quant::TypeInfo& info = quant::info(type);
    std::vector<std::byte> row(x.size() / info.block_weights * info.block_bytes);
    family.encoder(type)(x.data(), importance, x.size(), row.data());
    return row;
}

std::vector<float> decoded(Type type, const std::vector<std::byte>& row, std::size_t n) {
    std::vector<float> weights(n);
    quant::decode_row(type, row, weights);
    return weights;
}

std::vector<float> through(Type type, const std::vector<float>& x,
                           const float* importance = nullptr) {
    return decoded(type, encoded(type, x, importance), x.size());
}

struct Errors {
    double plain = 0, weighted = 0;
};

/// llama.cpp's, by the type's name in small letters.
std::map<std::string, Errors> recorded_errors() {
    std::ifstream file(PILLAR_TEST_DATA "/quantize/errors.txt");
    std::map<std::string, Errors> errors;
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with('#')) continue;
        std::istringstream fields(line);
        std::string name;
        Errors of_type;
        fields >> name >> of_type.plain >> of_type.weighted;
        errors[name] = of_type;
    }
    return errors;
}

std::string in_small_letters(std::string_view text) {
    std::string small(text);
    for (char& c : small) c = static_cast<char>(std::tolower(c));
    return small;
}

// The weights and importances of make_references.py.
constexpr std::size_t n_rows = 64, n_columns = 1024;

std::vector<std::vector<float>> seeded_matrix() {
    Random random(7);
    std::vector<std::vector<float>> rows(n_rows, std::vector<float>(n_columns));
    for (auto& row : rows)
        for (float& value : row) {
            double sum = 0;
            for (int i = 0; i < 4; ++i) sum += random.uniform();
            const double x = 0.02 * (sum - 2.0);
            value = static_cast<float>(random.uniform() < 1.0 / 16 ? 4.0 * x : x);
        }
    return rows;
}

std::vector<float> seeded_importance() {
    Random random(8);
    std::vector<float> importance(n_columns);
    for (float& value : importance) {
        const double u = random.uniform();
        value = static_cast<float>(0.05 + 20.0 * (u * u) * (u * u));
    }
    return importance;
}

class EncodersOf : public ::testing::TestWithParam<Type> {};

TEST_P(EncodersOf, ErrorsAreNoLargerThanLlamaCpps) {
    const std::string name = in_small_letters(quant::info(GetParam()).name);
    const auto recorded = recorded_errors();
    if (quant::is_float(GetParam())) GTEST_SKIP() << "not searched for";
    ASSERT_TRUE(recorded.contains(name));
    const std::vector<float> importance = seeded_importance();
    Errors errors;
    for (const std::vector<float>& row : seeded_matrix()) {
        const std::vector<float> plain = through(GetParam(), row);
        const std::vector<float> weighted = through(GetParam(), row, importance.data());
        for (std::size_t i = 0; i < n_columns; ++i) {
            errors.plain += std::pow(double{plain[i]} - double{row[i]}, 2);
            errors.weighted +=
                double{importance[i]} * std::pow(double{weighted[i]} - double{row[i]}, 2);
        }
    }
    constexpr double n = n_rows * n_columns;
    EXPECT_LE(errors.plain / n, 1.0001 * recorded.at(name).plain); // the record has seven digits
    EXPECT_LE(errors.weighted / n, recorded.at(name).weighted);
    RecordProperty("plain", std::to_string(errors.plain / n / recorded.at(name).plain));
    RecordProperty("weighted", std::to_string(errors.weighted / n / recorded.at(name).weighted));
}

TEST_P(EncodersOf, EveryFamilyHasTheSameBits) {
    const std::vector<float> importance = seeded_importance();
    for (const std::vector<float>& row : seeded_matrix())
        for (const float* columns : {static_cast<const float*>(nullptr), importance.data()})
            ASSERT_EQ(encoded(GetParam(), row, columns),
                      encoded(GetParam(), row, columns, quantize::baseline_family));
}

/// The same bits on every processor, at every optimisation, and from one version to the next unless
/// somebody means to change them.
TEST_P(EncodersOf, BitsAreTheRecordedOnes) {
    const std::vector<float> importance = seeded_importance();
    std::uint64_t plain = hash_seed, weighted = hash_seed;
    for (const std::vector<float>& row : seeded_matrix()) {
        plain = hash_bytes(encoded(GetParam(), row, nullptr), plain);
        weighted = hash_bytes(encoded(GetParam(), row, importance.data()), weighted);
    }
    const std::string line = fmt::format(
        "{} {:016x} {:016x}", in_small_letters(quant::info(GetParam()).name), plain, weighted);
    std::ifstream file(PILLAR_TEST_DATA "/quantize/hashes.txt");
    std::vector<std::string> recorded;
    for (std::string read; std::getline(file, read);) recorded.push_back(read);
    EXPECT_NE(std::ranges::find(recorded, line), recorded.end()) << line;
}

TEST_P(EncodersOf, ZerosStayZeros) {
    if (GetParam() == Type::q1_0) GTEST_SKIP() << "has no zero, but d is";
    std::vector<float> x(512, 0.0f);
    for (const float value : through(GetParam(), x)) ASSERT_EQ(value, 0.0f);
}

/// Weights that are all alike, one alone, and sizes at the ends of f16's scales: nothing that is
/// not a number comes out, and nothing far from what went in.
TEST_P(EncodersOf, OddBlocksComeOutNearToWhatTheyWere) {
    for (const float size : {1e-4f, 0.25f, 3000.0f})
        for (const float sign : {1.0f, -1.0f})
            for (const bool is_alone : {false, true}) {
                if (is_alone && GetParam() == Type::q1_0) continue; // has no zeros beside it
                std::vector<float> x(256, is_alone ? 0.0f : sign * size);
                x[37] = sign * size;
                const std::vector<float> y = through(GetParam(), x);
                for (std::size_t i = 0; i < x.size(); ++i)
                    ASSERT_NEAR(y[i], x[i], 0.35f * size)
                        << "weight " << i << " of " << sign * size << (is_alone ? " alone" : "");
            }
}

TEST_P(EncodersOf, TheSmallestNumbersAreHarmless) {
    std::vector<float> x(256);
    Random random(5);
    for (float& value : x) value = static_cast<float>(random.centred() * 1e-38);
    for (const float value : through(GetParam(), x)) ASSERT_LE(std::fabs(value), 1e-7f);
}

INSTANTIATE_TEST_SUITE_P(Types, EncodersOf, ::testing::ValuesIn(encoded_types()),
                         [](const auto& type) {
                             return std::string(quant::info(type.param).name);
                         });

/// What is in a format already comes out as it was: ternary models in both ternary formats, signs
/// in Q1_0, and whole numbers of a step in the plain ones.
TEST(Encoders, WeightsThatAFormatHoldsAreMetExactly) {
    const auto expect_exact = [](Type type, int lowest, int highest) {
        Random random(11);
        std::vector<float> x(512);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto span = static_cast<std::uint64_t>(highest - lowest + 1);
            const int n = i % 32 == 0 ? lowest : lowest + static_cast<int>(random.below(span));
            x[i] = 0.0625f * static_cast<float>(n);
        }
        EXPECT_EQ(through(type, x), x) << quant::info(type).name;
    };
    expect_exact(Type::tq1_0, -1, 1);
    expect_exact(Type::tq2_0, -1, 1);
    expect_exact(Type::q2_0, -1, 2);
    expect_exact(Type::q4_0, -8, 7);
    expect_exact(Type::q5_0, -16, 15);
    expect_exact(Type::f16, -512, 511);
    expect_exact(Type::bf16, -64, 64);
    std::vector<float> signs(256);
    Random random(12);
    for (float& value : signs) value = random.below(2) == 0 ? 0.5f : -0.5f;
    EXPECT_EQ(through(Type::q1_0, signs), signs);
}

/// A column that counts a thousand times as much as the others is met better than without that.
TEST(Encoders, ImportantColumnsAreMetBetter) {
    for (const Type type : encoded_types()) {
        if (quant::is_float(type) || type == Type::q8_0 || type == Type::q1_0) continue;
        double with = 0, without = 0;
        std::vector<float> importance(n_columns, 0.1f);
        for (std::size_t i = 3; i < n_columns; i += 32) importance[i] = 100.0f;
        for (const std::vector<float>& row : seeded_matrix()) {
            const std::vector<float> weighted = through(type, row, importance.data());
            const std::vector<float> plain = through(type, row);
            for (std::size_t i = 3; i < n_columns; i += 32) {
                with += std::pow(double{weighted[i]} - double{row[i]}, 2);
                without += std::pow(double{plain[i]} - double{row[i]}, 2);
            }
        }
        EXPECT_LT(with, 0.8 * without) << quant::info(type).name;
    }
}

TEST(Families, ReadHalfFloatsAndFindWhatIsNoNumber) {
    std::vector<std::byte> halves(2 * 65'536);
    for (std::uint32_t bits = 0; bits < 65'536; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        std::memcpy(halves.data() + 2 * bits, &half, 2);
    }
    std::vector<float> f16(65'536), bf16(65'536), expected(65'536);
    const Family& family = quantize::best_family();
    family.read_f16(halves.data(), f16.size(), f16.data());
    family.read_bf16(halves.data(), bf16.size(), bf16.data());
    const auto expect_equal = [&](Type type, const std::vector<float>& read) {
        quant::decode_row(type, halves, expected);
        for (std::size_t i = 0; i < read.size(); ++i) {
            ASSERT_EQ(std::isnan(read[i]), std::isnan(expected[i])) << i;
            if (std::isnan(expected[i])) continue;
            ASSERT_EQ(read[i], expected[i]) << i;
            ASSERT_EQ(std::signbit(read[i]), std::signbit(expected[i])) << i;
        }
    };
    expect_equal(Type::f16, f16);
    expect_equal(Type::bf16, bf16);
    EXPECT_EQ(family.n_beyond(f16.data(), f16.size(), std::numeric_limits<float>::max()), 2048u);
    const float values[] = {0, 65'504, -65'504, 65'505, NAN, -INFINITY, 1};
    EXPECT_EQ(family.n_beyond(values, 7, 65'504), 3u);
}

} // namespace
