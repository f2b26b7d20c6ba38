#pragma once
// The importance matrix of a model as data: how large the activations were that each column of each
// weight matrix met while a text went through the model. `imatrix` gathers it, `quantize` weights a
// column's errors with it. Files are llama.cpp's: its GGUF layout, written and read (tools/imatrix
// of llama.cpp, "NAME.in_sum2" and "NAME.counts"), and the .dat layout before that, read only.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pillar::importance {

/// What one weight matrix (or the matrices of all experts of a layer) met.
struct Entry {
    /// Σ x² over the activations, [expert][column]: one after another where there are experts.
    std::vector<float> sums;
    /// How many activations each sum is of: one count an expert; a single one counts for all.
    std::vector<std::uint64_t> counts;

    /// Columns of one matrix: a count's share of `sums`. 0 without counts.
    [[nodiscard]] std::size_t n_columns() const noexcept {
        return counts.empty() ? 0 : sums.size() / counts.size();
    }
    friend bool operator==(const Entry&, const Entry&) = default;
};

struct Matrix {
    /// By the weight matrix's name: "blk.0.attn_q.weight".
    std::map<std::string, Entry, std::less<>> tensors;
    std::vector<std::string> datasets; ///< names of the texts, in the order of their use
    std::uint32_t chunk_count = 0;     ///< pieces of text that were used
    std::uint32_t chunk_size = 0;      ///< tokens a piece; 0 where a .dat file does not say

    friend bool operator==(const Matrix&, const Matrix&) = default;
};

/// The mean of x² for each of `sums`, f32: sum / count. What was never met (an expert that no token
/// chose) has 1 throughout, as in llama.cpp: its columns count alike.
std::vector<float> mean_squares(const Entry& entry);

/// Read a file of either layout. Throws FormatError (65) where it is none, is cut off, or holds
/// what no activations can sum up to; IoError (66, 74). Sums and counts of a .dat file are scaled:
/// only their quotient, and chunk_count, mean what they say.
Matrix read(const std::filesystem::path& path);

/// Write the GGUF layout; read() gives back the same bits. Counts above 2^24 are rounded to an f32.
/// Whole or not at all. Throws IoError (73, 74), FormatError where a name is too long for the
/// format. Each entry has as many sums as its counts can share.
void write(const Matrix& matrix, const std::filesystem::path& path);

} // namespace pillar::importance
