// Prints a hash of what each kernel family computes, one line a format and operator:
//     integer q4_0 3f2a…
// With a file of such lines for `reference` and `integer` (tests/data/kernel_hashes.txt) it
// compares instead, every fast family with `integer`, and fails on the first difference. Run on
// x86-64 and, under an emulator, on aarch64 it shows that both compute the same bits. The list is
// this program's own output; unit/kernels holds the plain families against exact arithmetic.

#include "pillar/core/hash.hpp"
#include "support/kernels/attention.hpp"
#include "support/kernels/products.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace pillar;
using namespace pillar::kernels;

std::uint64_t hash(const std::vector<float>& values) {
    return hash_of(std::span<const float>(values));
}

std::vector<float> random_values(std::size_t n, std::uint64_t seed) {
    support::Random random(seed);
    std::vector<float> x(n);
    for (float& v : x) v = 4.0f * random.unit();
    return x;
}

/// 21 rows × 3 columns: whole rows, then heads of 80 in 8 slices, which cut blocks and
/// super-blocks.
std::uint64_t hash_product(const Family& family, quant::Type type) {
    constexpr std::size_t n = 1024;
    const support::Rows rows = support::random_rows(type, 21, n, 5);
    const support::Columns x = support::random_columns(3, n, 6);
    std::vector<float> y = support::product(family, rows, {{0, n}}, x);
    const std::vector<float> cut =
        support::product(family, rows, support::even_slices(12, 80, 8), x);
    y.insert(y.end(), cut.begin(), cut.end());
    return hash(y);
}

std::uint64_t hash_quantized(const Family& family) {
    const support::Columns columns = support::random_columns(1, 500, 7);
    const Activations x =
        support::activations_of(family, support::slices_between({0, 80, 240, 240, 500}), columns);
    std::uint64_t result = hash_of(std::span<const std::int8_t>(x.q));
    result = hash_of(std::span<const float>(x.scale), result);
    result = hash_of(std::span<const std::int32_t>(x.sum), result);
    return hash_of(std::span<const std::int16_t>(x.half_sum), result);
}

std::uint64_t hash_rms_norm(const Family& family) {
    std::vector<float> out(579);
    family.rms_norm(random_values(579, 8).data(), random_values(579, 9).data(), 579, 1e-5f,
                    out.data());
    return hash(out);
}

std::uint64_t hash_sum_of_squares(const Family& family) {
    return hash({family.sum_of_squares(random_values(579, 8).data(), 579)});
}

std::uint64_t hash_rope(const Family& family) {
    std::vector<float> head = random_values(80, 10);
    family.rope(head.data(), random_values(37, 11).data(), random_values(37, 12).data(), 37);
    return hash(head);
}

std::uint64_t hash_swiglu(const Family& family) {
    std::vector<float> gate = random_values(1003, 13);
    for (float& v : gate) v *= 12.0f;
    family.swiglu(gate.data(), random_values(1003, 14).data(), gate.size(), gate.data());
    return hash(gate);
}

std::uint64_t hash_geglu(const Family& family) {
    std::vector<float> gate = random_values(1003, 18);
    for (float& v : gate) v *= 5.0f;
    family.geglu(gate.data(), random_values(1003, 19).data(), gate.size(), gate.data());
    return hash(gate);
}

std::uint64_t hash_soft_cap(const Family& family) {
    std::vector<float> x = random_values(1003, 20);
    for (float& v : x) v *= 60.0f;
    family.soft_cap(x.data(), x.size(), 30.0f);
    return hash(x);
}

std::uint64_t hash_swiglu_clamped(const Family& family) {
    std::vector<float> gate = random_values(1003, 20), up = random_values(1003, 21);
    for (float& v : gate) v *= 12.0f;
    for (float& v : up) v *= 12.0f;
    family.swiglu_clamped(gate.data(), up.data(), 1.702f, 7.0f, gate.size(), gate.data());
    return hash(gate);
}

std::uint64_t hash_add(const Family& family) {
    std::vector<float> x = random_values(1003, 15);
    family.add(x.data(), random_values(1003, 16).data(), x.size());
    return hash(x);
}

std::uint64_t hash_add_scaled(const Family& family) {
    std::vector<float> x = random_values(1003, 18);
    family.add_scaled(x.data(), random_values(1003, 19).data(), 0.37f, x.size());
    return hash(x);
}

std::uint64_t hash_attention(const Family& family, CacheType type) {
    constexpr std::size_t head_dim = 80;
    std::vector<std::byte> keys(page_bytes(type, head_dim));
    std::vector<std::byte> values = keys;
    for (std::size_t j = 0; j < page_positions; ++j)
        support::store_kv(family, random_values(head_dim, 100 + j).data(),
                          random_values(head_dim, 400 + j).data(), keys.data(), values.data(), type,
                          head_dim, j);
    const std::vector<float> query = random_values(head_dim, 17);
    std::vector<float> o(head_dim), o_next(head_dim), out(head_dim);
    const auto attend = [&](std::size_t n, std::vector<float>& to) {
        return support::attend_page(family, query.data(), {keys.data(), values.data()}, type,
                                    head_dim, n, 0.11f, to.data());
    };
    PartialAttention all = attend(256, o);
    family.combine(all, attend(77, o_next), head_dim);
    family.finish_attention(all, head_dim, out.data());
    out.push_back(all.m);
    out.push_back(all.l);
    return hash(out);
}

std::map<std::string, std::uint64_t> hashes_of(const Family& family) {
    std::map<std::string, std::uint64_t> hashes;
    for (const quant::Type type : quant::all_types)
        hashes[std::string(quant::info(type).name)] = hash_product(family, type);
    hashes["quantize"] = hash_quantized(family);
    hashes["rms_norm"] = hash_rms_norm(family);
    hashes["sum_of_squares"] = hash_sum_of_squares(family);
    hashes["rope"] = hash_rope(family);
    hashes["swiglu"] = hash_swiglu(family);
    hashes["geglu"] = hash_geglu(family);
    hashes["soft_cap"] = hash_soft_cap(family);
    hashes["swiglu_clamped"] = hash_swiglu_clamped(family);
    hashes["add"] = hash_add(family);
    hashes["add_scaled"] = hash_add_scaled(family);
    hashes["attention_f32"] = hash_attention(family, CacheType::f32);
    hashes["attention_f16"] = hash_attention(family, CacheType::f16);
    hashes["attention_q8_0"] = hash_attention(family, CacheType::q8_0);
    hashes["attention_q4_0"] = hash_attention(family, CacheType::q4_0);
    return hashes;
}

/// "family operator" → hash
std::map<std::string, std::uint64_t> read_expected(const char* path) {
    std::map<std::string, std::uint64_t> expected;
    std::ifstream file(path);
    std::string family;
    std::string name;
    std::uint64_t value = 0;
    while (file >> family >> name >> std::hex >> value) expected[family + " " + name] = value;
    return expected;
}

} // namespace

int main(int argc, char** argv) {
    const bool compare = argc > 1;
    const auto expected = compare ? read_expected(argv[1]) : std::map<std::string, std::uint64_t>{};
    std::size_t n_equal = 0;
    for (const Family* family : families()) {
        if (!family->supported()) continue;
        const std::string twin = family->float_activations ? "reference" : "integer";
        for (const auto& [name, value] : hashes_of(*family)) {
            if (!compare) {
                std::printf("%s %s %016llx\n", family->name.data(), name.c_str(),
                            static_cast<unsigned long long>(value));
                continue;
            }
            const auto found = expected.find(twin + " " + name);
            if (found == expected.end() || found->second != value) {
                std::printf("%s %s gives %016llx, which is not what %s says for %s\n",
                            family->name.data(), name.c_str(),
                            static_cast<unsigned long long>(value), argv[1], twin.c_str());
                return 1;
            }
            ++n_equal;
        }
    }
    if (compare) std::printf("%zu hashes equal\n", n_equal);
    return 0;
}
