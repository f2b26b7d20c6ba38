#include "rows/tensor_pass.hpp"

#include "pillar/core/errors.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <limits>

namespace pillar::quantize {

namespace {

constexpr std::uint64_t piece_bytes = std::uint64_t{8} << 20; ///< of the source, a thread
constexpr std::uint64_t bytes_at_once = std::uint64_t{128} << 10;

/// Scales are f16, as F16's weights are themselves; a larger weight has none.
float largest_in(quant::Type type) noexcept {
    constexpr quant::Type wide[] = {quant::Type::f32, quant::Type::bf16, quant::Type::mxfp4};
    return std::ranges::find(wide, type) != std::end(wide) ? std::numeric_limits<float>::max()
                                                           : 65'504.0f;
}

std::uint64_t encoded_row_bytes(quant::Type type, std::uint64_t n_columns) noexcept {
    const quant::TypeInfo& info = quant::info(type);
    return n_columns / info.block_weights * info.block_bytes;
}

} // namespace

TensorPass::TensorPass(const gguf::File& model, threads::Team& team, OutputFiles& outputs)
    : model_(model), team_(team), outputs_(outputs), family_(best_family()),
      desks_(static_cast<std::size_t>(team.size())) {}

void TensorPass::run(const gguf::TensorInfo& tensor, quant::Type to,
                     std::span<const float> importance, ShowProgress show) {
    const std::uint64_t row_bytes = std::max<std::uint64_t>(tensor.row_bytes(), 1);
    Piece piece{.tensor = &tensor,
                .to = to,
                .importance = importance,
                .first_row = 0,
                .n_rows = 0,
                .rows_at_once = std::max<std::uint64_t>(bytes_at_once / row_bytes, 1)};
    const std::uint64_t rows_a_piece =
        std::max<std::uint64_t>(piece_bytes / row_bytes, 1) * desks_.size();
    const std::uint64_t n_rows = tensor.n_elements() == 0 ? 0 : tensor.n_rows();
    for (; piece.first_row < n_rows; piece.first_row += piece.n_rows) {
        piece.n_rows = std::min(rows_a_piece, n_rows - piece.first_row);
        encode(piece);
        outputs_.write(encoded_);
        show((piece.first_row + piece.n_rows) * row_bytes);
    }
    outputs_.next_tensor();
}

void TensorPass::encode(const Piece& piece) {
    encoded_.resize(piece.n_rows * encoded_row_bytes(piece.to, piece.tensor->n_columns()));
    std::atomic<std::uint64_t> next = 0;
    team_.run([&](threads::Worker worker) {
        take_rows(piece, desks_[static_cast<std::size_t>(worker.index())], next);
    });
    for (Desk& desk : desks_)
        if (desk.failure) std::rethrow_exception(desk.failure);
    expect_good(*piece.tensor, piece.to);
}

void TensorPass::take_rows(const Piece& piece, Desk& desk, std::atomic<std::uint64_t>& next) {
    try {
        for (;;) {
            const std::uint64_t begin = next.fetch_add(piece.rows_at_once);
            if (begin >= piece.n_rows) return;
            encode_rows(piece, desk, begin, std::min(begin + piece.rows_at_once, piece.n_rows));
        }
    } catch (const Error&) {
        desk.failure = std::current_exception();
    } catch (const std::bad_alloc&) {
        desk.failure = std::current_exception();
    }
}

/// Rows of the piece, counted from its first.
void TensorPass::encode_rows(const Piece& piece, Desk& desk, std::uint64_t begin,
                             std::uint64_t end) {
    const gguf::TensorInfo& tensor = *piece.tensor;
    const std::uint64_t n_columns = tensor.n_columns();
    const std::uint64_t row_bytes = tensor.row_bytes();
    const std::uint64_t out_bytes = encoded_row_bytes(piece.to, n_columns);
    const bool is_copied = static_cast<quant::Type>(tensor.type->number) == piece.to;
    desk.weights.resize(n_columns);
    desk.source.resize((end - begin) * row_bytes);
    model_.read(tensor, (piece.first_row + begin) * row_bytes, desk.source);
    const EncodeRow encode_row = family_.encoder(piece.to);
    const std::uint64_t rows_a_matrix = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
    for (std::uint64_t i = begin; i < end; ++i) {
        const std::byte* const in = desk.source.data() + (i - begin) * row_bytes;
        std::byte* const out = encoded_.data() + i * out_bytes;
        const std::uint64_t row = piece.first_row + i;
        read_row(tensor, in, desk.weights);
        const float limit = is_copied ? std::numeric_limits<float>::max() : largest_in(piece.to);
        if (family_.n_beyond(desk.weights.data(), n_columns, limit) > 0)
            note_bad(tensor, row, limit, desk);
        else if (is_copied)
            std::copy(in, in + row_bytes, out);
        else
            encode_row(desk.weights.data(),
                       piece.importance.empty()
                           ? nullptr
                           : piece.importance.data() + row / rows_a_matrix * n_columns,
                       n_columns, out);
    }
}

void TensorPass::read_row(const gguf::TensorInfo& tensor, const std::byte* row,
                          std::span<float> weights) const {
    const auto type = static_cast<quant::Type>(tensor.type->number);
    if (type == quant::Type::f16)
        family_.read_f16(row, weights.size(), weights.data());
    else if (type == quant::Type::bf16)
        family_.read_bf16(row, weights.size(), weights.data());
    else
        quant::decode_row(type, std::span(row, tensor.row_bytes()), weights);
}

void TensorPass::note_bad(const gguf::TensorInfo& tensor, std::uint64_t row, float limit,
                          Desk& desk) const {
    const auto bad = std::ranges::find_if(
        desk.weights, [limit](float weight) { return !(std::fabs(weight) <= limit); });
    const std::uint64_t place =
        row * tensor.n_columns() + static_cast<std::uint64_t>(bad - desk.weights.begin());
    if (place < desk.first_bad.place) desk.first_bad = {place, *bad};
}

void TensorPass::expect_good(const gguf::TensorInfo& tensor, quant::Type to) const {
    const BadWeight& bad = std::ranges::min_element(desks_, {}, [](const Desk& desk) {
                               return desk.first_bad.place;
                           })->first_bad;
    if (bad.place == BadWeight{}.place) return;
    const std::uint64_t n_columns = tensor.n_columns();
    const std::uint64_t row = bad.place / n_columns;
    const std::uint64_t rows_a_matrix = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
    std::string where =
        fmt::format("weight {} of row {}", bad.place % n_columns, row % rows_a_matrix);
    if (row >= rows_a_matrix || tensor.n_rows() > rows_a_matrix)
        where += fmt::format(" of matrix {}", row / rows_a_matrix);
    const std::string field = fmt::format("tensor \"{}\"", printable(tensor.name));
    if (std::isfinite(bad.value))
        throw model_.error(field, fmt::format("{} is {}, too large for {}; bf16 holds it", where,
                                              bad.value, quant::info(to).name));
    throw model_.error(field, fmt::format("{} is {}: the file is damaged, or was converted from a "
                                          "damaged one; get or convert it again",
                                          where, bad.value));
}

} // namespace pillar::quantize
