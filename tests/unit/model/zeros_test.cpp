// Files of their full size that are zeros from some byte on, and zeros that mean nothing.

#include "pillar/model/zeros.hpp"

#include "pillar/model/hyperparameters.hpp"
#include "support/models/tiny_model.hpp"
#include "support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace pillar::model {
namespace {

using support::GgufBuilder;
using support::RawTensor;
using ::testing::HasSubstr;

/// Large enough that the matrices have several windows; q8_0, in which a zero block is zero bytes.
GgufBuilder model(bool tied = false) {
    return support::build_tiny_model(
        {.dim = 256, .ffn = 512, .type = quant::Type::q8_0, .tied = tied});
}

std::string zeros_in(const std::string& bytes) {
    const support::TemporaryDirectory folder;
    support::write_file(folder / "model.gguf", bytes);
    const gguf::File file(folder / "model.gguf");
    return find_zeros(file, read_hyperparameters(file));
}

/// The file's bytes from `begin` on replaced by zeros.
std::string stopped_at(std::string bytes, std::size_t begin) {
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(begin), bytes.end(), '\0');
    return bytes;
}

struct Extent {
    std::string name;
    std::size_t begin, size; ///< in the file
};
std::vector<Extent> extents(const std::string& bytes) {
    const support::TemporaryDirectory folder;
    support::write_file(folder / "model.gguf", bytes);
    const gguf::File file(folder / "model.gguf");
    std::vector<Extent> all;
    for (const auto& tensor : file.tensors())
        all.push_back({tensor.name, tensor.offset, tensor.size_bytes});
    return all;
}

void zero(RawTensor& tensor, std::size_t begin, std::size_t end) {
    std::fill(tensor.data.begin() + static_cast<std::ptrdiff_t>(begin),
              tensor.data.begin() + static_cast<std::ptrdiff_t>(end), '\0');
}

TEST(zeros, nothing_is_said_of_a_whole_file) {
    EXPECT_EQ(zeros_in(model().bytes()), "");
    EXPECT_EQ(zeros_in(model(true).bytes()), "");
}

TEST(zeros, a_download_that_stopped_anywhere_is_found_with_tensor_and_byte) {
    const std::string bytes = model().bytes();
    for (const Extent& tensor : extents(bytes)) {
        const std::size_t inside = tensor.begin + tensor.size / 3 + 1;
        const std::size_t late = tensor.begin + tensor.size - 400;
        for (const std::size_t stop : {tensor.begin, inside, late}) {
            SCOPED_TRACE(tensor.name + " " + std::to_string(stop - tensor.begin));
            const std::string sentence = zeros_in(stopped_at(bytes, stop));
            EXPECT_THAT(sentence, HasSubstr("\"" + tensor.name + "\""));
            EXPECT_THAT(sentence, HasSubstr("download it again"));
            // the byte is where data end: a little before where that happens to be zero already
            const auto at = sentence.find("from byte ");
            ASSERT_NE(at, std::string::npos) << sentence;
            const std::size_t said = std::stoul(sentence.substr(at + 10));
            EXPECT_LE(said, stop);
            EXPECT_GE(said + 8, stop);
        }
    }
}

TEST(zeros, one_tensor_in_the_middle_is_found) {
    for (const char* name : {"blk.0.attn_norm.weight", "blk.1.ffn_down.weight"}) {
        GgufBuilder builder = model();
        RawTensor& tensor = builder.tensor(name);
        zero(tensor, 0, tensor.data.size());
        const std::string sentence = zeros_in(builder.bytes());
        EXPECT_THAT(sentence, HasSubstr(name));
        EXPECT_EQ(sentence.find("more"), std::string::npos);
        builder = model();
        RawTensor& part = builder.tensor(name);
        zero(part, part.data.size() / 2, part.data.size());
        EXPECT_THAT(zeros_in(builder.bytes()), HasSubstr(name));
    }
}

TEST(zeros, biases_of_zero_are_weights_as_any_other) {
    for (const bool last : {false, true}) {
        GgufBuilder builder = model();
        const RawTensor bias{.name = "blk.1.ffn_down.bias",
                             .shape = {256},
                             .type = 0,
                             .data = std::string(1024, '\0')};
        builder.tensors.insert(last ? builder.tensors.end() : builder.tensors.begin(), bias);
        EXPECT_EQ(zeros_in(builder.bytes()), "");
    }
}

TEST(zeros, rows_that_pad_a_vocabulary_mean_nothing) {
    GgufBuilder builder = model(); // output.weight is the last tensor, and token_embd the first
    for (const char* name : {"output.weight", "token_embd.weight"}) {
        RawTensor& tensor = builder.tensor(name);
        const std::size_t row = tensor.data.size() / tensor.shape[1];
        zero(tensor, tensor.data.size() - 20 * row, tensor.data.size());
        tensor.data[tensor.data.size() - 20 * row - 1] = '\0'; // the last weight of the row before
    }
    EXPECT_EQ(zeros_in(builder.bytes()), "");
}

TEST(zeros, columns_that_pad_the_feed_forward_width_mean_nothing) {
    GgufBuilder builder = model();
    for (const char* name : {"blk.0.ffn_down.weight", "blk.1.ffn_down.weight"}) {
        RawTensor& tensor = builder.tensor(name);
        const std::size_t row = tensor.data.size() / tensor.shape[1];
        for (std::size_t r = 1; r <= tensor.shape[1]; ++r) zero(tensor, r * row - 4 * 34, r * row);
    }
    EXPECT_EQ(zeros_in(builder.bytes()), "");
}

} // namespace
} // namespace pillar::model
